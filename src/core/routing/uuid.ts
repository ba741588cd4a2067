/** UUIDs as text (RFC 9562 section 4): hexadecimal digits, and a dash at four places. */

export const UUID_LENGTH = 36;

const DASH = 0x2d;

/** By code: 1 for what can't be in a UUID. */
const FOREIGN = new Uint8Array(256).fill(1);
for (const character of '0123456789abcdefABCDEF-') FOREIGN[character.charCodeAt(0)] = 0;

/** True when a UUID stands at `from` in a latin1 text, in upper or lower case, of any version and variant, whatever follows. */
export function isUuidAt(text: string, from: number): boolean {
  if (from + UUID_LENGTH > text.length) return false;
  let foreign = 0;
  let dashes = 0;
  for (let i = from; i < from + UUID_LENGTH; i += 1) {
    const code = text.charCodeAt(i);
    foreign |= FOREIGN[code & 0xff] as number;
    if (code === DASH) dashes += 1;
  }
  return foreign === 0 && dashes === 4 && DASHES.every((place) => text.charCodeAt(from + place) === DASH);
}

const DASHES = [8, 13, 18, 23] as const;

/** The UUID at `from`, in lower case. */
export function uuidAt(text: string, from: number): string {
  return text.slice(from, from + UUID_LENGTH).toLowerCase();
}
