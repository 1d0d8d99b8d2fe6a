// What the rows of deliberate-differences.ts look for in the bytes of a message, well formed or not.

export const line = (head: string): string => head.replace(/^\r\n/, '').split(/[\r\n]/, 1)[0]!;
export const target = (head: string): string =>
  line(head)
    .replace(/^\S* ?/, '')
    .replace(/ HTTP\/\S*$/, '');
export const values = (head: string, name: string): string[] =>
  [...head.matchAll(new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*?)[ \\t]*(?=\\r\\n)`, 'gi'))].map((match) => match[1]!);
export const authority = (head: string): string | undefined => /^[a-z]+:\/\/([^/?#]*)/i.exec(target(head))?.[1];
export const isChunked = (head: string): boolean => /\r\ntransfer-encoding:/i.test(head);
export const hasTrailer = (message: string, name: string): boolean =>
  new RegExp(`\\r\\n0+(?:;[^\\r\\n]*)?\\r\\n(?:[^\\r\\n]+\\r\\n)*(?:${name}):`, 'i').test(message);
/** A chunk-size line in the message. */
export const hasChunkLine = (head: string, message: string, pattern: RegExp): boolean =>
  isChunked(head) && message.split('\r\n').some((text) => pattern.test(text));
