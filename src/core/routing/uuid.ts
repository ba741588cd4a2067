/** UUIDs as text (RFC 9562 section 4): hexadecimal digits, and a dash at four places. */

export const UUID_LENGTH = 36;

const DASH = 0x2d;
/** More than all dashes that a UUID's length has room for. */
const FOREIGN = 64;

/** By code: a UUID weighs as much as it has dashes, and whatever else is in it is heavier. */
const WEIGHTS = new Uint8Array(256).fill(FOREIGN);
for (const digit of '0123456789abcdefABCDEF') WEIGHTS[digit.charCodeAt(0)] = 0;
WEIGHTS[DASH] = 1;

/** What a character adds to the weight of what may be a UUID (`isWeightOfUuid`). */
export function weightInUuid(code: number): number {
  return WEIGHTS[code & 0xff] as number;
}

/** True when 36 characters of this weight, from `from` on, are a UUID: in upper or lower case, of any version and variant. */
export function isWeightOfUuid(weight: number, text: string, from: number): boolean {
  return (
    weight === 4 &&
    isDash(text, from + 8) &&
    isDash(text, from + 13) &&
    isDash(text, from + 18) &&
    isDash(text, from + 23)
  );
}

/** True when a UUID stands at `from` in a latin1 text, whatever follows. */
export function isUuidAt(text: string, from: number): boolean {
  if (from + UUID_LENGTH > text.length) return false;
  let weight = 0;
  for (let i = from; i < from + UUID_LENGTH; i += 1) weight += weightInUuid(text.charCodeAt(i));
  return isWeightOfUuid(weight, text, from);
}

/** The UUID at `from`, in lower case. */
export function uuidAt(text: string, from: number): string {
  return text.slice(from, from + UUID_LENGTH).toLowerCase();
}

function isDash(text: string, at: number): boolean {
  return text.charCodeAt(at) === DASH;
}
