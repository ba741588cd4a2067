import { expect, test } from 'vitest';
import { WriteTurn } from '../../../src/proxy/http1/write-turn.ts';

function turnEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('what is added in one turn is sent at its end, in order', async () => {
  const turn = new WriteTurn();
  const sent: string[] = [];
  turn.add({ sendNow: () => sent.push('a') });
  turn.add({ sendNow: () => sent.push('b') });
  expect(sent).toEqual([]);
  await turnEnd();
  expect(sent).toEqual(['a', 'b']);
});

test('a sender that is added while others are sent comes with the next turn, and none twice', async () => {
  const turn = new WriteTurn();
  const sent: string[] = [];
  turn.add({
    sendNow: () => {
      sent.push('a');
      turn.add({ sendNow: () => sent.push('later') });
    },
  });
  await turnEnd();
  expect(sent).toEqual(['a']);
  await turnEnd();
  await turnEnd();
  expect(sent).toEqual(['a', 'later']);
});

test('a turn with many reads does not keep the first sender waiting for the last', () => {
  const turn = new WriteTurn();
  let sent = 0;
  for (let count = 0; count < 100; count += 1) {
    turn.add({
      sendNow: () => {
        sent += 1;
      },
    });
  }
  expect(sent).toBeGreaterThan(50);
  expect(sent).toBeLessThan(100);
});
