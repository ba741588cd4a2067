/**
 * The sending half of chunked (RFC 9112 section 7.1): what stands around the bytes of a chunk.
 */

/** Ends the bytes of each chunk. */
export const chunkEnd = '\r\n';

/** The line before `size` bytes of chunk data; `size` is over 0. */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/** Ends a chunked body. `trailerLines` each end in CRLF; '' for none. */
export function lastChunk(trailerLines: string): string {
  return trailerLines === '' ? '0\r\n\r\n' : `0\r\n${trailerLines}\r\n`;
}
