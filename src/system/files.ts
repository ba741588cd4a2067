/** Files as the shell of the program reads them: the text, or one line that says why not. */
import { closeSync, openSync, readSync } from 'node:fs';

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** One line: the failed action, the file, the cause. */
  | { readonly ok: false; readonly reason: string };

/** More than any configuration needs; keeps a mistaken path (a device, a disk image) from filling the memory. */
const BYTES_MAX = 16 * 1024 * 1024;

/** Reads a whole UTF-8 text, of at most 16 MiB; a pipe (`/dev/stdin`) will do too. */
export function readTextFile(path: string): FileText {
  try {
    const bytes = readBytes(path);
    if (bytes.length > BYTES_MAX) return failed(path, `larger than ${BYTES_MAX} bytes`);
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return failed(path, causeOf(error));
  }
}

/** All bytes up to the bound and one more. */
function readBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total <= BYTES_MAX; ) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const count = readSync(file, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}

function failed(path: string, cause: string): FileText {
  return { ok: false, reason: `Reading ${JSON.stringify(path)} failed: ${cause}` };
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

function causeOf(error: unknown): string {
  const code = String((error as { code?: unknown } | null)?.code ?? error);
  return CAUSES[code] ?? code;
}
