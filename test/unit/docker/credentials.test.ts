/** Where credentials for registries are found. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { credentialsOf } from '../../../src/docker/credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const configOf = (auths: object): string => JSON.stringify({ auths });

test('in the environment, a password with colons among them', () => {
  const env = { DOCKER_AUTH_CONFIG: configOf({ 'r:5000': { auth: base64('me:a:b') } }) };
  expect(credentialsOf('r:5000', env)).toEqual({ username: 'me', password: 'a:b' });
  expect(credentialsOf('other', env)).toBeNull();
});

test("in the client's configuration, by the names that it uses", () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const auths = {
    'https://index.docker.io/v1/': { auth: base64('hub:1') },
    'https://r': { auth: base64('me:2') },
    s: {},
  };
  writeFileSync(join(folder, 'config.json'), configOf(auths));
  const found = ['docker.io', 'r', 's'].map((host) => credentialsOf(host, { DOCKER_CONFIG: folder })?.username);
  expect(found).toEqual(['hub', 'me', undefined]);
});

test('nowhere', () => {
  expect(credentialsOf('r', { DOCKER_CONFIG: '/nonexistent' })).toBeNull();
  expect(credentialsOf('r', { DOCKER_AUTH_CONFIG: '{' })).toBeNull();
});
