/**
 * A Docker engine of our own, beside any other: private socket, folder and bridge, and no firewall rule touched (ports
 * published on loopback are carried by the engine's own little proxies). containerd is its child and ends with it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';

/** Server programs are not on every user's PATH. */
const ENV = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
const STARTS_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 20_000;

interface Tls {
  readonly port: number;
  /** With `ca.pem`, `cert.pem` and `key.pem`. */
  readonly folder: string;
}

export class Dockerd {
  readonly folder = mkdtempSync(join(tmpdir(), 'cutover-engine-'));
  readonly socketPath = join(this.folder, 'engine.sock');
  readonly #bridge = `cutover${randomInt(2 ** 31).toString(36)}`;
  readonly #address = `10.${randomInt(100, 200)}.${randomInt(256)}.1/24`;
  readonly #tls: Tls | null;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #log = '';

  /** @param tls it listens there as well, by TLS, for clients with a certificate of its authority */
  constructor(tls: Tls | null = null) {
    this.#tls = tls;
  }

  /** Starts it, for the first time or again on the same socket; throws with the engine's own words when it won't. */
  async start(): Promise<void> {
    if (process.getuid?.() !== 0) throw new Error('No Docker engine answers, and only root can start one');
    if (spawnSync('ip', ['link', 'show', this.#bridge], { env: ENV }).status !== 0) this.#makeBridge();
    const options = {
      host: `unix://${this.socketPath}`,
      'data-root': join(this.folder, 'data'),
      'exec-root': join(this.folder, 'run'),
      pidfile: join(this.folder, 'pid'),
      bridge: this.#bridge,
      iptables: 'false',
      'ip-masq': 'false',
      'ip-forward': 'false',
    };
    const args = Object.entries({ ...options, ...this.#tlsOptions() }).map(([name, value]) => `--${name}=${value}`);
    if (this.#tls !== null) args.push(`--host=tcp://127.0.0.1:${this.#tls.port}`);
    // It ends in order, containers included, also when this process is killed.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'dockerd', ...args], {
      env: ENV,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-4000);
    });
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    let hasEnded = false;
    void this.#ended.then(() => {
      hasEnded = true;
    });
    const docker = new Docker({ socketPath: this.socketPath, timeout: 1000 });
    for (const deadline = performance.now() + STARTS_WITHIN_MS; ; ) {
      if (await answers(docker)) return;
      if (hasEnded || performance.now() > deadline) throw new Error(`dockerd did not start: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the engine and with it its containers; everything stays on disk for another start. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
    await this.#ended;
    clearTimeout(force);
  }

  /** Ends it and removes all that it had. */
  async remove(): Promise<void> {
    await this.stop();
    spawnSync('ip', ['link', 'delete', this.#bridge], { env: ENV });
    // An engine that is stopped under its containers may forget a mount.
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(this.folder))) spawnSync('umount', ['--lazy', mount]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #tlsOptions(): Readonly<Record<string, string>> {
    if (this.#tls === null) return {};
    const of = (file: string): string => join(this.#tls?.folder ?? '', file);
    return { tlsverify: 'true', tlscacert: of('ca.pem'), tlscert: of('cert.pem'), tlskey: of('key.pem') };
  }

  #makeBridge(): void {
    for (const args of [
      ['link', 'add', 'name', this.#bridge, 'type', 'bridge'],
      ['address', 'add', this.#address, 'dev', this.#bridge],
      ['link', 'set', this.#bridge, 'up'],
    ]) {
      const { status, stderr } = spawnSync('ip', args, { env: ENV, encoding: 'utf8' });
      if (status !== 0) throw new Error(`Cannot make a bridge for the Docker engine: ip ${args.join(' ')}: ${stderr}`);
    }
  }
}

/** Whether an engine answers there. */
export function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  );
}
