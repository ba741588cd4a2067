/**
 * What sockets read into. Small messages all come through one buffer, whose bytes are lent until the callback returns. A long
 * body is read into buffers of its connection's own: what the kernel does not take at once is then sent from where it was
 * read to, and not from a copy.
 */

/** The buffer that all sockets of a process share. */
export const SHARED_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

let lent: Buffer | null = null;

/** The bytes of this buffer are being lent, and may be kept. */
export function lend(buffer: Buffer): void {
  lent = buffer;
}

/** True when these are bytes of the buffer that is lent just now and may be kept. */
export function mayKeep(bytes: Buffer): boolean {
  return lent !== null && bytes.buffer === lent.buffer;
}

/** Keeps the buffer that is lent: it is not read into again before it comes back to the pool. */
export function keepLent(): Buffer | null {
  const kept = lent;
  lent = null;
  return kept;
}

/** The lending is over: true if the buffer is still the lender's. */
export function endLending(): boolean {
  const isOurs = lent !== null;
  lent = null;
  return isOurs;
}
