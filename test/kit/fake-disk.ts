/**
 * A disk in memory that can die after each step, and that knows what may be left of it then: names and contents are on the
 * disk only once they are synced; what was not may be there, or half of it, or nothing.
 */
import type { Files } from '../../src/system/files.ts';

interface Content {
  text: string;
  synced: string;
}

type Names = ReadonlyMap<string, Content>;

export class FakeDisk implements Files {
  /** The steps done so far, in words. */
  readonly steps: string[] = [];
  /** The disk dies after so many steps: nothing that is asked of it returns any more. */
  diesAfter = Number.POSITIVE_INFINITY;
  /** By the first word of a step: the code that it fails with. */
  readonly failing = new Map<string, string>();
  /** What each step takes a while for, where the disk is slow. */
  slowly: (() => Promise<void>) | null = null;
  #names: Names = new Map();
  /** What the folder may look like after a crash: as it was synced last, or after any change since. */
  #possible: Names[] = [new Map()];

  static holding(files: Readonly<Record<string, string>>): FakeDisk {
    const disk = new FakeDisk();
    disk.#names = new Map(Object.entries(files).map(([path, text]) => [path, { text, synced: text }]));
    disk.#possible = [disk.#names];
    return disk;
  }

  get dead(): boolean {
    return this.steps.length >= this.diesAfter;
  }

  text(path: string): string | undefined {
    return this.#names.get(path)?.text;
  }

  paths(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** Every disk that may be found after a crash now. */
  survivors(): readonly FakeDisk[] {
    const cuts: readonly ((content: Content) => string)[] = [
      ({ synced }) => synced,
      ({ text, synced }) => (text === synced ? synced : text.slice(0, text.length / 2)),
      ({ text }) => text,
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
    await this.#step('read', () => {});
    const text = this.text(path);
    return text === undefined ? null : Buffer.from(text);
  }

  async writeNew(path: string, text: string): Promise<void> {
    const content: Content = { text: '', synced: '' };
    await this.#step('create', () => this.#rename((names) => names.set(path, content)));
    for (const end of [text.length / 3, text.length]) {
      await this.#step('write', () => {
        content.text = text.slice(0, end);
      });
    }
    await this.#step('sync', () => {
      content.synced = content.text;
    });
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

  async #step(name: string, act: () => void): Promise<void> {
    if (this.slowly !== null) await this.slowly();
    if (this.dead) return new Promise(() => {});
    const code = this.failing.get(name);
    if (code !== undefined) throw failure(code);
    act();
    this.steps.push(name);
    await Promise.resolve();
    if (this.dead) return new Promise(() => {});
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
