// `${NAME}` in string values: replaced once by the environment, never again inside what was put in.

export type Environment = Readonly<Record<string, string | undefined>>;

export type Substitution =
  | { readonly ok: true; readonly text: string }
  /** `name` is null when the braces hold no valid name. */
  | { readonly ok: false; readonly name: string | null; readonly written: string };

const REFERENCE = /\$(\$\{)|\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_]\w*)(?::-([\s\S]*))?$/;

/** `${NAME}`, `${NAME:-default}` when unset or empty, and `$${` for a literal `${`. Any other `$` stays as it is. */
export function substitute(text: string, env: Environment): Substitution {
  let failure: Substitution | null = null;
  const result = text.replace(
    REFERENCE,
    (written: string, escaped: string | undefined, inner: string, close: string) => {
      if (escaped !== undefined) return '${';
      const body = close === '' ? null : BODY.exec(inner);
      const value = body !== null && Object.hasOwn(env, body[1]!) ? env[body[1]!] : undefined;
      if (body !== null && body[2] !== undefined) return value === undefined || value === '' ? body[2] : value;
      if (value === undefined) failure ??= { ok: false, name: body === null ? null : body[1]!, written };
      return value ?? '';
    },
  );
  return failure ?? { ok: true, text: result };
}
