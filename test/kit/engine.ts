/**
 * The Docker engine of the container tests: the one on the default socket where it answers, else one of our own.
 * All that the tests make carries a label of this run, in images too, so that containers made from them inherit it; by this
 * label everything is removed again, never by name.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import Docker from 'dockerode';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { answers, Dockerd } from './dockerd.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly engine: { readonly socketPath: string; readonly run: string };
  }
}

export interface Engine {
  readonly docker: Docker;
  readonly socketPath: string;
  /** Label and value that mark what belongs to this run. */
  readonly label: { readonly key: string; readonly value: string };
}

const LABEL = 'cutover.test';
const DEFAULT_SOCKET = '/var/run/docker.sock';

/** Vitest calls it once before all files of the project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = randomUUID();
  if (await answers(new Docker({ socketPath: DEFAULT_SOCKET, timeout: 2000 }))) {
    project.provide('engine', { socketPath: DEFAULT_SOCKET, run });
    return () => removeAll(engineAt(DEFAULT_SOCKET, run));
  }
  const dockerd = new Dockerd();
  try {
    await dockerd.start();
  } catch (error) {
    await dockerd.remove();
    throw error;
  }
  project.provide('engine', { socketPath: dockerd.socketPath, run });
  return async () => {
    await removeAll(engineAt(dockerd.socketPath, run));
    await dockerd.remove();
  };
}

/** The engine that all tests share. */
export function sharedEngine(): Engine {
  const { socketPath, run } = inject('engine');
  return engineAt(socketPath, run);
}

/** For an engine that a test starts itself, because it stops it in between. */
export function engineAt(socketPath: string, run: string = randomUUID()): Engine {
  return { docker: new Docker({ socketPath }), socketPath, label: { key: LABEL, value: run } };
}

/** Removes the containers of this run, with their anonymous volumes; images stay. */
export async function removeContainers({ docker, label }: Engine): Promise<void> {
  const filters = { label: [`${label.key}=${label.value}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => gone(docker.getContainer(Id).remove({ force: true, v: true }))));
}

async function removeAll(engine: Engine): Promise<void> {
  const { docker, label } = engine;
  const filters = { label: [`${label.key}=${label.value}`] };
  await removeContainers(engine);
  for (const { Id } of await docker.listNetworks({ filters })) await gone(docker.getNetwork(Id).remove());
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes) await gone(docker.getVolume(Name).remove());
  for (const { Id } of await docker.listImages({ filters })) await gone(docker.getImage(Id).remove({ force: true }));
}

/** What somebody else removed a moment ago is gone all the same. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) throw error;
  }
}

/** Reads what the engine says of its progress to the end; rejects with its error if it names one. */
export async function progress(stream: NodeJS.ReadableStream): Promise<readonly Readonly<Record<string, unknown>>[]> {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(stream, 'end');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const said = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const failure = said.find((line) => line.error !== undefined);
  if (failure !== undefined) throw new Error(`The engine says: ${failure.error}`);
  return said;
}
