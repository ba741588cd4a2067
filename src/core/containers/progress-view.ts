/** What goes on at this moment while containers are started, as lines for a terminal: a bar for each layer that is coming in. */
import { megabytes, type Progress } from './progress.ts';

type Layer = Pick<Extract<Progress, { readonly kind: 'layer' }>, 'status' | 'current' | 'total'>;

const BAR_LENGTH = 20;
/** Engines take three layers at a time. */
const BARS_MAX = 5;
/** What an engine says of a layer that it has. */
const THERE = ['pull complete', 'already exists'];

export class ProgressView {
  /** By image, and in it by layer, in the order in which they were told. */
  readonly #images = new Map<string, Map<string, Layer>>();

  take(progress: Progress): void {
    const { kind } = progress;
    if (kind === 'pulling') this.#images.set(progress.image, new Map());
    if (kind === 'pulled') this.#images.delete(progress.image);
    if (kind === 'layer') this.#images.get(progress.image)?.set(progress.layer, progress);
  }

  /** Each image that is being pulled, and below it its layers that are on their way. */
  lines(): readonly string[] {
    return [...this.#images].flatMap(([image, layers]) => [headOf(image, [...layers.values()]), ...barsOf(layers)]);
  }
}

function headOf(image: string, layers: readonly Layer[]): string {
  const there = layers.filter(({ status }) => THERE.includes(status)).length;
  return layers.length === 0 ? `pulling ${image}` : `pulling ${image}: ${there} of ${layers.length} layers`;
}

function barsOf(layers: ReadonlyMap<string, Layer>): readonly string[] {
  return [...layers]
    .flatMap(([layer, { status, current, total }]) =>
      current === null || total === null || total === 0
        ? []
        : [`  ${layer} ${status.padEnd(11)} ${barOf(current, total)}`],
    )
    .slice(0, BARS_MAX);
}

/** `[==========>         ]  5.0 of 10.0 MB` */
function barOf(current: number, total: number): string {
  const done = Math.floor(BAR_LENGTH * Math.min(1, current / total));
  const bar = done === BAR_LENGTH ? '='.repeat(done) : `${'='.repeat(done)}>`.padEnd(BAR_LENGTH);
  return `[${bar}] ${megabytes(current).padStart(megabytes(total).length)} of ${megabytes(total)} MB`;
}
