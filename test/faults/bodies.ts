/** The answers' bodies: each version's its own, so that a cut, a swap or a splice of two versions changes the hash. */
import { patterned, sha256 } from '../kit/bytes.ts';

export type VersionName = 'old' | 'new';

interface Body {
  readonly bytes: Buffer;
  readonly sha256: string;
}

const made = new Map<string, Body>();

export function bodyOf(version: VersionName, byteCount: number): Body {
  const key = `${version} ${byteCount}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const bytes = patterned(byteCount);
  if (version === 'new') bytes.reverse();
  const body = { bytes, sha256: sha256(bytes) };
  made.set(key, body);
  return body;
}

/** The body of an application's own 500 or 502. */
export const ERROR_BODY = Buffer.from('The application failed');

/** What an application says of the request body that it read. */
export function receipt(body: Buffer): string {
  return body.length === 0 ? 'empty' : sha256(body);
}
