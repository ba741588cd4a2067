/** Cookies as a client keeps them, and `Set-Cookie` lines taken apart. */
import { type Field, fieldValues } from './messages.ts';

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** Attribute names in lower case; flags have the value ''. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** The cookies that an answer sets, in the order of their lines. */
export function setCookies(answer: { readonly fields: readonly Field[] }): readonly SetCookie[] {
  return fieldValues(answer, 'set-cookie').map((line) => {
    const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const attributes = rest.filter((part) => part !== '').map((part) => splitAt(part, '='));
    return {
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
      attributes: Object.fromEntries(attributes.map(([name, value]) => [name.toLowerCase(), value])),
    };
  });
}

/** The cookie of this name that an answer sets, or undefined. */
export function setCookie(answer: { readonly fields: readonly Field[] }, name: string): SetCookie | undefined {
  return setCookies(answer).find((cookie) => cookie.name === name);
}

/** A client's jar: takes every answer's cookies and gives the Cookie line of the next request. */
export class CookieJar {
  readonly #kept = new Map<string, string>();

  take(answer: { readonly fields: readonly Field[] }): void {
    for (const cookie of setCookies(answer)) {
      if (cookie.attributes['max-age'] === '0') this.#kept.delete(cookie.name);
      else this.#kept.set(cookie.name, cookie.value);
    }
  }

  get fields(): readonly Field[] {
    if (this.#kept.size === 0) return [];
    return [['Cookie', [...this.#kept].map(([name, value]) => `${name}=${value}`).join('; ')]];
  }

  get(name: string): string | undefined {
    return this.#kept.get(name);
  }
}

function splitAt(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
