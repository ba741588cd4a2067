/** Containers that a test starts itself, beside those that Cutover starts. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { Container } from 'dockerode';
import type { Engine } from './engine.ts';

export interface RunImage {
  readonly name?: string;
  /** A network of its own; with it the container answers to its name there. */
  readonly network?: string;
  /** The port that is published on a free one of loopback. */
  readonly port?: number;
  readonly memory?: number;
  readonly links?: readonly string[];
  readonly env?: readonly string[];
  readonly binds?: readonly string[];
  readonly groups?: readonly string[];
  /** How often the image's health check runs. */
  readonly healthIntervalMs?: number;
}

export interface RunningImage {
  readonly container: Container;
  /** Where the published port is; it accepts from the start, whoever listens behind it. */
  readonly url: string;
}

/** Runs an image; `removeContainers` removes it. */
export async function runImage(
  { docker, label }: Engine,
  image: string,
  options: RunImage = {},
): Promise<RunningImage> {
  const { name, network, port, memory, links, env, binds, groups, healthIntervalMs } = options;
  const key = `${port}/tcp`;
  const container = await docker.createContainer({
    ...(name === undefined ? {} : { name }),
    Image: image,
    ...(healthIntervalMs === undefined ? {} : { Healthcheck: { Interval: healthIntervalMs * 1e6 } }),
    Labels: { [label.key]: label.value },
    ...(env === undefined ? {} : { Env: [...env] }),
    HostConfig: {
      ...(links === undefined ? {} : { Links: [...links] }),
      ...(port === undefined ? {} : { PortBindings: { [key]: [{ HostIp: '127.0.0.1' }] } }),
      ...(memory === undefined ? {} : { Memory: memory }),
      ...(network === undefined ? {} : { NetworkMode: network }),
      ...(binds === undefined ? {} : { Binds: [...binds] }),
      ...(groups === undefined ? {} : { GroupAdd: [...groups] }),
    },
  });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  return { container, url: `http://127.0.0.1:${NetworkSettings.Ports[key]?.[0]?.HostPort}` };
}

/** A free port that no engine will publish another container on: they take theirs from the range of ephemeral ones. */
export async function settledPort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const port = randomInt(20_000, 30_000);
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
}

/** Asks until somebody answers, and gives the text; rejects when the container ends instead. */
export async function firstAnswer({ container, url }: RunningImage): Promise<string> {
  for (;;) {
    const text = await fetch(url).then(
      (answer) => answer.text(),
      () => null,
    );
    if (text !== null) return text;
    if (!(await container.inspect()).State.Running) throw await ended(container);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves with `healthy` or `unhealthy` when the engine says so; rejects when the container ends instead. */
export async function healthOf({ docker }: Engine, container: Container): Promise<string> {
  const events = await docker.getEvents({ filters: { container: [container.id], event: ['health_status'] }, since: 1 });
  try {
    const said = new Promise((resolve) => events.once('data', resolve));
    const end = container.wait().then(() => ended(container));
    const fault = await Promise.race([said.then(() => null), end]);
    if (fault !== null) throw fault;
  } finally {
    (events as unknown as { destroy(): void }).destroy();
  }
  return (await container.inspect()).State.Health?.Status ?? 'none';
}

async function ended(container: Container): Promise<Error> {
  return new Error(`The container ended: ${await container.logs({ stdout: true, stderr: true })}`);
}
