/**
 * A disk in memory that can die after each step, and that knows what may be left of it then: names and contents are on the
 * disk only once they are synced; what was not may be there, or half of it, or nothing. Of what is overwritten in place either
 * half may be there without the other.
 */
import type { Files, Room } from '../../src/system/files.ts';

interface Content {
  bytes: Buffer;
  synced: Buffer;
}

type Names = ReadonlyMap<string, Content>;

export class FakeDisk implements Files {
  /** The steps done so far, in words. */
  readonly steps: string[] = [];
  /** The disk dies after so many steps: nothing that is asked of it returns any more. */
  diesAfter = Number.POSITIVE_INFINITY;
  /** By a step, and by a step and a path (`read /a`): the code that it fails with. */
  readonly failing = new Map<string, string>();
  /** What each step takes a while for, where the disk is slow. */
  slowly: (() => Promise<void>) | null = null;
  /** By a step: what it waits for. */
  readonly holding = new Map<string, Promise<void>>();
  #names: Names = new Map();
  /** What the folder may look like after a crash: as it was synced last, or after any change since. */
  #possible: Names[] = [new Map()];

  static holding(files: Readonly<Record<string, string | Uint8Array>>): FakeDisk {
    const disk = new FakeDisk();
    disk.#names = new Map(
      Object.entries(files).map(([path, content]) => {
        const bytes = Buffer.from(content);
        return [path, { bytes, synced: bytes }];
      }),
    );
    disk.#possible = [disk.#names];
    return disk;
  }

  get dead(): boolean {
    return this.steps.length >= this.diesAfter;
  }

  text(path: string): string | undefined {
    return this.bytes(path)?.toString();
  }

  bytes(path: string): Buffer | undefined {
    return this.#names.get(path)?.bytes;
  }

  paths(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** Every disk that may be found after a crash now. */
  survivors(): readonly FakeDisk[] {
    const cuts: readonly ((content: Content) => Buffer)[] = [
      ({ synced }) => synced,
      ({ bytes, synced }) => torn(bytes, synced),
      ({ bytes, synced }) => (bytes.length === synced.length ? torn(synced, bytes) : bytes),
      ({ bytes }) => bytes,
    ];
    return this.#possible.flatMap((names) =>
      cuts.map((cut) =>
        FakeDisk.holding(Object.fromEntries([...names].map(([path, content]) => [path, cut(content)]))),
      ),
    );
  }

  async realPath(path: string): Promise<string> {
    await this.#step('resolve', () => {});
    return path;
  }

  async read(path: string): Promise<Uint8Array | null> {
    await this.#step('read', () => {}, path);
    return this.bytes(path) ?? null;
  }

  async writeNew(path: string, text: string): Promise<void> {
    await this.#writeNew(path, Buffer.from(text));
  }

  async makeRoom(path: string, bytes: number): Promise<Room> {
    const content = await this.#writeNew(path, Buffer.alloc(bytes));
    return {
      write: async (part, position) => {
        for (const end of [Math.floor(part.length / 2), part.length]) {
          await this.#step('overwrite', () => {
            content.bytes = Buffer.from(content.bytes);
            content.bytes.set(part.subarray(0, end), position);
          });
        }
        await this.#step('flush', () => {
          content.synced = content.bytes;
        });
      },
      close: () => {},
    };
  }

  async #writeNew(path: string, bytes: Buffer): Promise<Content> {
    const content: Content = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    await this.#step('create', () => this.#rename((names) => names.set(path, content)), path);
    for (const end of [bytes.length / 3, bytes.length]) {
      await this.#step('write', () => {
        content.bytes = bytes.subarray(0, end);
      });
    }
    await this.#step('sync', () => {
      content.synced = content.bytes;
    });
    return content;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step('rename', () => {
      const content = this.#names.get(from);
      if (content === undefined) throw failure('ENOENT');
      this.#rename((names) => names.set(to, content).delete(from));
    });
  }

  async syncFolder(): Promise<void> {
    await this.#step('folder', () => {
      this.#possible = [this.#names];
    });
  }

  async remove(path: string): Promise<void> {
    await this.#step('remove', () => this.#rename((names) => names.delete(path)));
  }

  #rename(change: (names: Map<string, Content>) => void): void {
    const names = new Map(this.#names);
    change(names);
    this.#names = names;
    this.#possible.push(names);
  }

  async #step(name: string, act: () => void, path = ''): Promise<void> {
    if (this.slowly !== null) await this.slowly();
    if (this.dead) return new Promise(() => {});
    const code = this.failing.get(name) ?? this.failing.get(`${name} ${path}`);
    if (code !== undefined) throw failure(code);
    const held = this.holding.get(name);
    if (held !== undefined) await held;
    act();
    this.steps.push(name);
    await Promise.resolve();
    if (this.dead) return new Promise(() => {});
  }
}

/** The first half of what differs is there, the rest not. */
function torn(bytes: Buffer, synced: Buffer): Buffer {
  if (bytes === synced) return bytes;
  if (bytes.length !== synced.length) return bytes.subarray(0, bytes.length / 2);
  const from = bytes.findIndex((byte, at) => byte !== synced[at]);
  const to = bytes.findLastIndex((byte, at) => byte !== synced[at]);
  const middle = Math.ceil((from + to) / 2);
  return from === -1 ? bytes : Buffer.concat([bytes.subarray(0, middle), synced.subarray(middle)]);
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
