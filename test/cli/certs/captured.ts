// What a verb writes, as one text.

export interface Captured {
  out(text: string): void;
  err(text: string): void;
  text(): string;
}

export function captured(): Captured {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  return { out: write, err: write, text: () => written };
}
