/** The real `curl`, as the thesis used it. */
import { execFile } from 'node:child_process';
import type { Field } from './messages.ts';

export interface CurlAnswer {
  /** curl's own exit code; 0 when it got a whole answer. */
  readonly exitCode: number;
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: string;
}

/** Runs curl with these arguments and takes its answer apart; interim heads are left out. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const { exitCode, output } = await new Promise<{ exitCode: number; output: string }>((resolve) => {
    const all = ['--silent', '--include', '--max-time', '20', ...args];
    execFile('curl', all, { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), output: stdout }),
    );
  });
  let rest = output;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, Math.max(end, 0)).split('\r\n');
    const status = Number(statusLine.split(' ')[1] ?? 0);
    rest = rest.slice(end + 4);
    if (status >= 100 && status < 200 && status !== 101) continue;
    const fields = lines.map((line): Field => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    return { exitCode, status, fields, body: end < 0 ? '' : rest };
  }
}
