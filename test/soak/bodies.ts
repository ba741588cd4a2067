/** What clients send and versions answer: each version's bodies are its own, so that a cut, a swap or a splice shows. */
import { patterned, sha256 } from '../kit/bytes.ts';

/** Bodies that differ from one version to the next and the one after. */
const VARIANTS = 4;

const made = new Map<string, Buffer>();

/** The body of this many bytes that this version answers with. */
export function answerBody(version: string, byteCount: number): Buffer {
  const variant = Number(version) % VARIANTS;
  const key = `${variant} ${byteCount}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const bytes = patterned(byteCount + variant + 1).subarray(variant + 1);
  made.set(key, bytes);
  return bytes;
}

export const UPLOADS = { small: upload(2000), large: upload(100_000) };

/** What an application says of a request body that it read. */
export function receipt(body: Buffer): string {
  return body.length === 0 ? 'empty' : sha256(body);
}

function upload(byteCount: number): { readonly bytes: Buffer; readonly receipt: string } {
  const bytes = patterned(byteCount);
  return { bytes, receipt: receipt(bytes) };
}
