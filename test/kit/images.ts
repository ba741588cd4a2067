/**
 * Images that need nothing from outside: the Node that runs the tests with its shared libraries, imported once, and small
 * applications on top of it, built by the engine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Behaviour } from './container-app.ts';
import { type Engine, progress } from './engine.ts';

export interface AppImage {
  /** What `/` answers. */
  readonly version: string;
  readonly behaviour?: Behaviour;
  /** Programs that say whether the container is healthy: exit code 0 or 1. */
  readonly healthcheck?: 'passes' | 'fails';
}

/** A shell, and what `bin/cutover` calls. */
const SHELL = ['/bin/sh', '/usr/bin/dirname', '/usr/bin/readlink'];

/** The port that the application listens on in its container. */
export const APP_PORT = 80;

/** Builds an image of `container-app.ts` under this name (`app:1`); a name given again moves to the new image. */
export async function buildAppImage(engine: Engine, name: string, app: AppImage): Promise<string> {
  const check = app.healthcheck === 'passes' ? 0 : 1;
  const dockerfile = [
    `FROM ${await nodeImage(engine)}`,
    'COPY container-app.ts /app/',
    `ENV APP_VERSION="${app.version}" APP_BEHAVIOUR="${app.behaviour ?? 'serves'}" APP_PORT=${APP_PORT}`,
    `EXPOSE ${APP_PORT}`,
    ...(app.healthcheck === undefined
      ? []
      : [`HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD ["node", "-e", "process.exit(${check})"]`]),
    'CMD ["node", "/app/container-app.ts"]',
  ];
  const folder = mkdtempSync(join(tmpdir(), 'cutover-image-'));
  try {
    copyFileSync(join(import.meta.dirname, 'container-app.ts'), join(folder, 'container-app.ts'));
    writeFileSync(join(folder, 'Dockerfile'), dockerfile.join('\n'));
    await buildImage(engine, { name, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return name;
}

export interface Build {
  readonly name: string;
  /** Its `Dockerfile` is built with all that is beside it. */
  readonly folder: string;
  readonly args?: Readonly<Record<string, string>>;
}

/** `docker build`: the engine's own builder, so that a Dockerfile is proved by it. */
export async function buildImage({ docker, label }: Engine, { name, folder, args = {} }: Build): Promise<void> {
  const context = spawn('tar', ['-C', folder, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const options = { t: name, rm: true, forcerm: true, labels: { [label.key]: label.value }, buildargs: args };
  await progress(await docker.buildImage(context.stdout, options));
}

/** An image with Node and a shell, as `node:24-slim` has them, and little else; imported when it is first asked for. */
export async function nodeImage(engine: Engine): Promise<string> {
  const name = `cutover-test-node:${engine.label.value}`;
  if (await exists(engine, name)) return name;
  const root = mkdtempSync(join(tmpdir(), 'cutover-root-'));
  try {
    copyProgram(root, process.execPath, '/usr/local/bin/node');
    for (const program of SHELL) copyProgram(root, program);
    mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
    await importImage(engine, { name, root, changes: ['ENV PATH=/usr/local/bin:/usr/bin:/bin'] });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return name;
}

export interface Import {
  /** With a tag. */
  readonly name: string;
  /** The folder that becomes `/`. */
  readonly root: string;
  /** Lines of a Dockerfile: CMD, ENV, ENTRYPOINT, EXPOSE, USER, VOLUME, WORKDIR. */
  readonly changes?: readonly string[];
}

/** `docker import`: an image of one layer from a folder. */
export async function importImage({ docker, label }: Engine, { name, root, changes = [] }: Import): Promise<void> {
  const [repo, tag] = name.split(':');
  const archive = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const labelled = [...changes, `LABEL ${label.key}=${label.value}`];
  await progress(await docker.importImage(archive.stdout, { repo, tag, changes: labelled }));
}

async function exists({ docker }: Engine, name: string): Promise<boolean> {
  return docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

/** Copies a program or a library, and the shared libraries that it is linked to, the loader among them. */
export function copyProgram(root: string, program: string, path: string = program): void {
  for (const library of librariesOf(program)) copyInto(root, library);
  copyInto(root, program, path);
}

function librariesOf(program: string): readonly string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return stdout.match(/\/\S+/g) ?? [];
}

function copyInto(root: string, file: string, path: string = file): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  copyFileSync(file, join(root, path));
}
