/** The command line in this process: what it printed, and how it ended. */
import { runCli } from '../../../src/cli/program.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function cutover(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  let [out, err] = ['', ''];
  const code = await runCli(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    columns: () => null,
    env,
    version: '1.2.3',
  });
  return { code, out, err };
}
