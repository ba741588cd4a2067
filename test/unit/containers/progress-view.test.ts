import { expect, test } from 'vitest';
import { ProgressView } from '../../../src/core/containers/progress-view.ts';

const layer = (name: string, status: string, current: number | null = null, total: number | null = null) =>
  ({ kind: 'layer', image: 'app:2', layer: name, status, current, total }) as const;

function viewOf(...layers: readonly ReturnType<typeof layer>[]): ProgressView {
  const view = new ProgressView();
  view.take({ kind: 'pulling', image: 'app:2' });
  for (const one of layers) view.take(one);
  return view;
}

test('a head for each image that is being pulled, and a bar for each layer that is on its way', () => {
  const view = viewOf(
    layer('aaaaaaaaaaaa', 'already exists'),
    layer('bbbbbbbbbbbb', 'downloading', 0, 50_000_000),
    layer('cccccccccccc', 'extracting', 5_000_000, 10_000_000),
    layer('dddddddddddd', 'waiting'),
    layer('eeeeeeeeeeee', 'downloading', 1_000, 1_000),
  );
  expect(view.lines()).toEqual([
    'pulling app:2: 1 of 5 layers',
    '  bbbbbbbbbbbb downloading [>                   ]  0.0 of 50.0 MB',
    '  cccccccccccc extracting  [==========>         ]  5.0 of 10.0 MB',
    '  eeeeeeeeeeee downloading [====================] 0.0 of 0.0 MB',
  ]);
  view.take(layer('bbbbbbbbbbbb', 'pull complete'));
  expect(view.lines().slice(0, 2)).toEqual([
    'pulling app:2: 2 of 5 layers',
    '  cccccccccccc extracting  [==========>         ]  5.0 of 10.0 MB',
  ]);
});

test('nothing once it is there, nor of steps that are over at once', () => {
  const view = viewOf(layer('aaaaaaaaaaaa', 'downloading', 1, 2));
  view.take({ kind: 'pulled', image: 'app:2', digest: null });
  view.take({ kind: 'created', container: 'web', image: 'app:2' });
  expect(view.lines()).toEqual([]);
});

test('no more bars than a small terminal has room for', () => {
  const many = Array.from({ length: 30 }, (_, index) => layer(`layer${index}`, 'downloading', 1, 2));
  expect(viewOf(...many).lines()).toHaveLength(6);
});
