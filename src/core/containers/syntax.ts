/** The small languages in which Docker's client writes an image, a volume, a link and the like, read into parts. */

/** What a container, a volume and a network may be called. */
const NAME = '[A-Za-z0-9][A-Za-z0-9_.-]*';

export function isContainerName(text: string): boolean {
  return text.length <= 200 && new RegExp(`^${NAME}$`).test(text);
}

export interface ImageReference {
  /** Without tag and digest: `registry.example:5000/team/app`. */
  readonly repository: string;
  readonly tag: string | null;
  /** `sha256:…` */
  readonly digest: string | null;
}

const REPOSITORY = /^([A-Za-z0-9.-]+(:\d{1,5})?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** `app`, `registry:5000/app:2.0`, `app@sha256:…`; null when it is none of these. */
export function parseImage(text: string): ImageReference | null {
  if (text.length > 255) return null;
  const at = text.indexOf('@');
  const digest = at < 0 ? null : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : null;
  const right =
    REPOSITORY.test(repository) && (tag === null || TAG.test(tag)) && (digest === null || DIGEST.test(digest));
  return right ? { repository, tag, digest } : null;
}

export const isTag = (text: string): boolean => TAG.test(text);

export interface Volume {
  /** A path or the name of a volume; null: a volume without a name. */
  readonly source: string | null;
  readonly target: string;
  /** `ro`, `rw` and further options, as they were given; null: none. */
  readonly options: string | null;
}

const VOLUME_OPTIONS = /^(ro|rw|z|Z|nocopy|cached|delegated|consistent|r?(shared|slave|private))$/;

/** `/in/container`, `/on/host:/in/container` or `name:/in/container`, and `:ro` or other options; null when it is none. */
export function parseVolume(text: string): Volume | null {
  const parts = text.split(':');
  const [first = '', second, options = null] = parts;
  if (parts.length > 3 || !first) return null;
  if (second === undefined) return isTarget(first) ? { source: null, target: first, options: null } : null;
  const isSource = first.startsWith('/') || isContainerName(first);
  const areOptions = options === null || options.split(',').every((option) => VOLUME_OPTIONS.test(option));
  return isSource && isTarget(second) && areOptions ? { source: first, target: second, options } : null;
}

function isTarget(path: string): boolean {
  return path.startsWith('/') && !/^\/*$/.test(path);
}

/** A container, and what it is to be called or how it is to be used. */
export interface Pointer {
  readonly container: string;
  readonly rest: string | null;
}

/** `db` or `db:alias`; null when it is neither. */
export function parseLink(text: string): Pointer | null {
  return pointer(text, isContainerName);
}

/** `data`, `data:ro` or `data:rw`; null when it is none of these. */
export function parseVolumesFrom(text: string): Pointer | null {
  return pointer(text, (rest) => rest === 'ro' || rest === 'rw');
}

function pointer(text: string, isRest: (rest: string) => boolean): Pointer | null {
  const [container = '', rest = null, ...more] = text.split(':');
  const right = more.length === 0 && isContainerName(container) && (rest === null || isRest(rest));
  return right ? { container, rest } : null;
}

/** The container whose network a `container:NAME` shares; null for a network of its own. */
export function networkContainer(network: string | null): string | null {
  return network?.startsWith('container:') === true ? network.slice('container:'.length) : null;
}

export function isNetwork(text: string): boolean {
  return isContainerName(networkContainer(text) ?? text);
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly retries: number;
}

/** As `docker run --restart` takes it: `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`. */
export function parseRestartPolicy(text: string): RestartPolicy | null {
  const match = /^(?:(no|always|unless-stopped|on-failure)|on-failure:(\d{1,6}))$/.exec(text);
  if (match === null) return null;
  return { name: (match[1] ?? 'on-failure') as RestartPolicy['name'], retries: Number(match[2] ?? 0) };
}

/** A port of a container with its protocol, `80/tcp`; null when it is none. */
export function parsePortKey(text: string): string | null {
  const [, port = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  return Number(port) >= 1 && Number(port) <= 65_535 ? `${Number(port)}/${protocol}` : null;
}

/** A signal as `docker run --stop-signal` takes it: a name with or without SIG, or a number. */
export function isSignal(text: string): boolean {
  return /^(SIG)?[A-Z][A-Z0-9+]{1,12}$/.test(text) || /^([1-9]|[1-5]\d|6[0-4])$/.test(text);
}
