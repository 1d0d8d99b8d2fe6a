// How long the path of a unix socket may be: `sun_path` of Linux, without its closing NUL (unix(7)).

export const MAX_SOCKET_PATH_BYTES = 107;

/** Why no socket can have this path, as the end of a message, or null. */
export function socketPathProblem(path: string): string | null {
  const bytes = Buffer.byteLength(path);
  return bytes <= MAX_SOCKET_PATH_BYTES
    ? null
    : `its path is too long for a unix socket: ${bytes} bytes, where ${MAX_SOCKET_PATH_BYTES} fit`;
}
