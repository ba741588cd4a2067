/** `bin/cutover` as the demo runs it, and the two ways to give it a new version. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { accepts, freePort } from '../test/kit/ports.ts';
import { endChild, track } from './children.ts';

const execute = promisify(execFile);
const BIN = join(import.meta.dirname, '../bin/cutover');

export interface Cluster {
  readonly version: string;
  readonly servers: readonly { readonly hostname: string; readonly port: number }[];
  readonly upgradeTransition?: Readonly<Record<string, unknown>>;
}

export class RunningProxy {
  readonly port: number;
  readonly #configPort: number;
  readonly #child: ChildProcess;
  /** What it has written to its log. */
  log = '';

  /** Use `startProxy`. */
  constructor(folder: string, ports: { readonly port: number; readonly configPort: number }) {
    this.port = ports.port;
    this.#configPort = ports.configPort;
    this.#child = spawn(BIN, [`-configFile=${join(folder, 'config.json')}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    track(this.#child);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
  }

  /** Resolves when both ports accept connections. */
  async listening(): Promise<void> {
    while (!(await accepts(this.port)) || !(await accepts(this.#configPort))) {
      if (this.#child.exitCode !== null)
        throw new Error(`Cutover ended with code ${this.#child.exitCode}:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The id of the only version. */
  async firstId(): Promise<string> {
    const [first] = (await (await fetch(this.#url)).json()) as { readonly cluster: { readonly uuid: string } }[];
    return first?.cluster.uuid ?? '';
  }

  /** PUTs a version by REST; gives its id. */
  async putByRest(cluster: Cluster): Promise<string> {
    const answer = await fetch(this.#url, { method: 'PUT', body: JSON.stringify({ cluster }) });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`PUT was answered ${answer.status}: ${text}`);
    return text;
  }

  /** PUTs a version from the command line with these flags; gives its id. */
  async putByCommand(flags: readonly string[]): Promise<string> {
    const { stdout } = await execute(BIN, ['put', ...flags, '--url', `http://127.0.0.1:${this.#configPort}`]);
    return stdout.trim();
  }

  /** True while GET shows the version. */
  async shows(id: string): Promise<boolean> {
    return (await fetch(`${this.#url}/${id}`)).status === 200;
  }

  /** Ends it as a service manager would. */
  async stop(): Promise<number | null> {
    await endChild(this.#child, 40_000);
    return this.#child.exitCode;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#configPort}/configuration/cluster`;
  }
}

/** Writes a configuration into `folder` and starts Cutover on it. */
export async function startProxy(folder: string, cluster: Cluster): Promise<RunningProxy> {
  const [port, configPort] = [await freePort(), await freePort()];
  const config = { proxy: { hostname: '127.0.0.1', port }, configService: { port: configPort }, state: null, cluster };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  const proxy = new RunningProxy(folder, { port, configPort });
  await proxy.listening();
  return proxy;
}
