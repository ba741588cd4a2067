/** Images: found on the engine or pulled, and recorded by what finds them again. */
import type Docker from 'dockerode';
import type { ContainerSpec } from '../core/config/model.ts';
import type { RecordedImage } from '../core/containers/launch.ts';
import type { Progress } from '../core/containers/progress.ts';
import { parseImage } from '../core/containers/syntax.ts';
import { credentialsFor } from './credentials.ts';
import { type Engine, faultText, statusOf, within } from './engine.ts';

export interface ImageWish {
  readonly spec: ContainerSpec;
  /** What a container of this place was made from before, or null. */
  readonly before: RecordedImage | null;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** The image to run, there for sure. Rejects with one line. */
export async function ensureImage(engine: Engine, wish: ImageWish): Promise<RecordedImage> {
  const { spec, before } = wish;
  const docker = await engine.client();
  if (before !== null && before.reference === spec.image) {
    if ((await find(docker, before.imageId)) !== null) return before;
    if (before.digest !== null) {
      const { imageId } = await pull(docker, before.digest, wish);
      return { ...before, imageId, pulled: true };
    }
  }
  const here = await find(docker, spec.image);
  if (here !== null && spec.pull !== 'always')
    return { ...here, reference: spec.image, pulled: before?.pulled ?? false };
  if (spec.pull === 'never') throw new Error(`Image ${spec.image} is not there, and "pullPolicy" is "never"`);
  const pulled = await pull(docker, spec.image, wish);
  // One that was there before is not ours to remove.
  return { ...pulled, reference: spec.image, pulled: pulled.imageId !== here?.imageId };
}

/** Removes an image unless something needs it. Never rejects. */
export async function removeImage(engine: Engine, imageId: string): Promise<void> {
  try {
    const docker = await engine.client();
    await docker.getImage(imageId).remove(within());
  } catch {
    // It is gone, or somebody has given it another name, or runs it: then it stays.
  }
}

type FoundImage = Pick<RecordedImage, 'imageId' | 'digest'>;

async function find(docker: Docker, reference: string): Promise<FoundImage | null> {
  try {
    const { Id, RepoDigests } = await docker.getImage(reference).inspect(within() as object);
    const repository = parseImage(reference)?.repository;
    return { imageId: Id, digest: (RepoDigests ?? []).find((one) => one.startsWith(`${repository}@`)) ?? null };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

async function pull(docker: Docker, reference: string, { progress, signal }: ImageWish): Promise<FoundImage> {
  progress({ kind: 'pulling', image: reference });
  try {
    const auth = await credentialsFor(reference, process.env);
    const options = { abortSignal: signal, ...(auth === null ? {} : { authconfig: auth }) };
    await follow(await docker.pull(reference, options as never), (line) => {
      const told = layerOf(reference, line);
      if (told !== null) progress(told);
    });
  } catch (error) {
    throw new Error(`Pulling ${reference} failed: ${signal.aborted ? 'it is wanted no more' : faultText(error)}`);
  }
  const found = await find(docker, reference);
  if (found === null) throw new Error(`Pulling ${reference} failed: the engine does not have it afterwards`);
  progress({ kind: 'pulled', image: reference, digest: found.digest });
  return found;
}

interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** Reads what the engine tells to the end; rejects with its error if it names one. */
async function follow(stream: NodeJS.ReadableStream, onLine: (line: PullLine) => void): Promise<void> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines.filter((one) => one.trim() !== '')) {
      const line = JSON.parse(text) as PullLine;
      if (line.error !== undefined) throw new Error(line.error);
      onLine(line);
    }
  }
}

function layerOf(image: string, { id, status, progressDetail }: PullLine): Progress | null {
  if (id === undefined || status === undefined || !/^[0-9a-f]{6,}$/.test(id)) return null;
  const { current = null, total = null } = progressDetail ?? {};
  return { kind: 'layer', image, layer: id, status: status.toLowerCase(), current, total };
}
