/** A group of measurements that is one section of the page. A new one is a file beside this, and an entry in `cases.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../measure.ts';
import type { Section } from '../report/section.ts';

export interface Case {
  /** As given to `--cases`. */
  readonly name: string;
  run(bench: Bench): Promise<Section>;
}

/** Writes the `Cookie` values of many clients for wrk. */
export function cookieFile(bench: Bench, name: string, cookies: readonly string[]): string {
  const file = join(bench.folder, `${name.replaceAll(/\W+/g, '-')}.cookies`);
  writeFileSync(file, `${cookies.join('\n')}\n`);
  return file;
}
