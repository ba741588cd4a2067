/**
 * Files: a text as the shell of the program reads it, or one line that says why not; and the few steps from which a file is
 * replaced so that no crash leaves half of it.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** One line: the failed action, the file, the cause. */
  | { readonly ok: false; readonly reason: string };

/** The steps; each rejects with an error that has a `code` of the system (`ENOSPC`). */
export interface Files {
  /** The path with all links followed. The file need not exist, its folder must. */
  realPath(path: string): Promise<string>;
  /** Null when there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
  /** Makes a file that only its owner may read, in place of what had the name; its content is on the disk when this resolves. */
  writeNew(path: string, text: string): Promise<void>;
  /** Makes a file as `writeNew` does, of so many zero bytes: room that is taken, to be overwritten in place. */
  makeRoom(path: string, bytes: number): Promise<Room>;
  /** In place of what had the name `to`. */
  rename(from: string, to: string): Promise<void>;
  /** What was made and renamed in the folder is on the disk when this resolves. */
  syncFolder(path: string): Promise<void>;
  /** No error when there is no such file. */
  remove(path: string): Promise<void>;
}

/** A file whose blocks are there already: what is written into it needs no new ones, and no entry of a folder changes. */
export interface Room {
  /**
   * In place of the bytes at `position`. On the disk when this resolves; if a crash comes before, any part of it may be.
   * One at a time.
   */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Nothing can be written any more. */
  close(): void;
}

export const realFiles: Files = {
  async realPath(path) {
    try {
      return await realpath(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
      return join(await realpath(dirname(path)), basename(path));
    }
  },
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  },
  async writeNew(path, text) {
    const file = await openInstead(path);
    try {
      // What is written is on the disk when the call returns: one step, where each is a way through other threads and back.
      await file.writeFile(text);
    } finally {
      closeSoon(file);
    }
  },
  async makeRoom(path, bytes) {
    const file = await openInstead(path);
    try {
      // Room that is merely set aside (`fallocate`) would change with its first use, and wait for the file system's journal.
      await file.writeFile(Buffer.alloc(bytes));
    } catch (error) {
      closeSoon(file);
      throw error;
    }
    return {
      async write(content, position) {
        const { bytesWritten } = await file.write(content, 0, content.length, position);
        if (bytesWritten < content.length)
          throw new Error(`only ${bytesWritten} of ${content.length} bytes were written`);
      },
      close: () => closeSoon(file),
    };
  },
  rename,
  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      closeSoon(folder);
    }
  },
  remove: (path) => rm(path, { force: true }),
};

/** A new file, in place of what had the name. */
async function openInstead(path: string): Promise<FileHandle> {
  try {
    return await openNew(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
    await rm(path, { force: true });
    return openNew(path);
  }
}

/** Exclusively, so that no link that somebody put there is followed, and the mode is ours. */
function openNew(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0o600);
}

/** Nobody waits for it: there is nothing left that could fail. */
function closeSoon(file: FileHandle): void {
  file.close().catch(() => {});
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOENT';
}

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
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than is allowed',
  EROFS: 'the file system is read-only',
  EIO: 'the device failed',
};

/** Why an operation on a file failed, in a few words. */
export function causeOf(error: unknown): string {
  const { code: name, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const code = String(name ?? message ?? error);
  return CAUSES[code] ?? code;
}
