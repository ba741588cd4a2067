/**
 * The answer to a PUT with containers: what happens, line by line, until the version serves or it is clear that it never will. The
 * last line is the id, or `error: ` and the reason. Whoever leaves stops nothing.
 */
import { type Progress, progressText } from '../core/containers/progress.ts';
import { line, type PutForm } from './answers.ts';
import type { ReleaseControl } from './contract.ts';

/** No longer than this without a line, milliseconds. */
const SILENCE_MS = 4_000;
/** How often the same state of a layer is told with other figures: to people, who read lines, and to programs. */
const LAYER_MS: Readonly<Record<PutForm, number>> = { text: 1_000, ndjson: 200 };

export interface Followed {
  readonly id: string;
  readonly form: PutForm;
  readonly control: ReleaseControl;
}

export function progressStream({ id, form, control }: Followed): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(stream) {
      const write = (value: object, text: string): void => {
        if (left.signal.aborted) return;
        stream.enqueue(encoder.encode(form === 'ndjson' ? `${JSON.stringify(value)}\n` : line(text)));
        silence.refresh();
      };
      const begunMs = performance.now();
      const silence = setTimeout(() => {
        const seconds = Math.round((performance.now() - begunMs) / 1000);
        write({ kind: 'waiting', seconds }, `waiting (${seconds} s)`);
      }, SILENCE_MS);
      const isNews = layerFilter(LAYER_MS[form]);
      write({ kind: 'accepted', id }, `accepted ${id}`);
      const reason = await control.follow(id, {
        signal: left.signal,
        onProgress: (progress) => {
          if (isNews(progress)) write(progress, progressText(progress));
        },
      });
      if (reason === null) write({ kind: 'serving', id }, id);
      else write({ kind: 'error', id, reason }, `error: ${reason}`);
      clearTimeout(silence);
      if (!left.signal.aborted) stream.close();
    },
    cancel() {
      left.abort();
    },
  });
}

/** Engines tell the bytes of each layer many times a second. */
function layerFilter(layerMs: number): (progress: Progress) => boolean {
  const told = new Map<string, { readonly status: string; readonly atMs: number }>();
  return (progress) => {
    if (progress.kind !== 'layer') return true;
    const { layer, status } = progress;
    const last = told.get(layer);
    const atMs = performance.now();
    if (last?.status === status && atMs - last.atMs < layerMs) return false;
    told.set(layer, { status, atMs });
    return true;
  };
}
