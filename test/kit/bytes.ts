/** Bodies that show a lost, doubled or swapped byte. */
import { createHash } from 'node:crypto';

/** `count` bytes without a short period; the same for the same count. */
export function patterned(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  let state = 0x9e3779b9;
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A chunked body: pieces of uneven sizes, the last chunk, and trailer lines. */
export function chunked(bytes: Buffer, trailers: readonly string[] = []): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0, size = 1; from < bytes.length; from += size, size = ((size * 7) % 60_000) + 1) {
    const piece = bytes.subarray(from, from + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1'));
  return Buffer.concat(parts);
}
