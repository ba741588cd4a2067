/** Which sockets a service manager passed; what it is told is seen in test/system. */
import { expect, test } from 'vitest';
import { passedSockets } from '../../../src/system/service-manager.ts';

const env = (count: string, names?: string) => ({
  LISTEN_PID: '42',
  LISTEN_FDS: count,
  ...(names && { LISTEN_FDNAMES: names }),
});

test.for([
  ['none', {}, null, null],
  ['those of another process', { ...env('2'), LISTEN_PID: '41' }, null, null],
  ['by order', env('2'), 3, 4],
  ['one: the proxy', env('1'), 3, null],
  ['by name', env('2', 'config:proxy'), 4, 3],
  ['by name, among others', env('3', 'x:proxy:y'), 4, null],
  ['names that say nothing', env('2', 'unknown:unknown'), 3, 4],
  ['a name too many', env('1', 'x:proxy'), 3, null],
  ['junk', env('many'), null, null],
] as const)('%s', ([, given, proxy, config]) => {
  expect(passedSockets(given, 42)).toEqual({ proxy, config });
});
