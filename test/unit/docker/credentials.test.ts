/** Where credentials for registries are found. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { credentialsFor } from '../../../src/docker/credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const configOf = (auths: object): string => JSON.stringify({ auths });

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('in the environment, a password with colons among them', async () => {
  const env = { DOCKER_AUTH_CONFIG: configOf({ 'r:5000': { auth: base64('me:a:b') } }) };
  const found = { username: 'me', password: 'a:b', serveraddress: 'r:5000' };
  expect(await credentialsFor('r:5000/team/app:1', env)).toEqual(found);
  expect(await credentialsFor('other:5000/app', env)).toBeNull();
});

test("in the client's configuration, by the names that it uses", async () => {
  const folder = temporaryFolder();
  const auths = { 'https://index.docker.io/v1/': { auth: base64('hub:1') }, 'https://r.x': { identitytoken: 'T' } };
  writeFileSync(join(folder, 'config.json'), configOf(auths));
  const env = { DOCKER_CONFIG: folder };
  expect((await credentialsFor('nginx', env))?.username).toBe('hub');
  expect((await credentialsFor('team/app', env))?.username).toBe('hub');
  expect((await credentialsFor('r.x/app', env))?.identitytoken).toBe('T');
});

test('with a helper, which is asked for the registry', async () => {
  const folder = temporaryFolder();
  const helper = join(folder, 'docker-credential-test');
  writeFileSync(helper, `#!/bin/sh\nread registry\necho '{"Username":"'$registry'","Secret":"s"}'\n`);
  chmodSync(helper, 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${folder}${delimiter}${path}`;
  onTestFinished(() => {
    process.env.PATH = path;
  });
  const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ credHelpers: { 'r.x': 'test' } }) };
  expect(await credentialsFor('r.x/app', env)).toEqual({ username: 'r.x', password: 's', serveraddress: 'r.x' });
});

test('nowhere', async () => {
  expect(await credentialsFor('r/app', { DOCKER_CONFIG: '/nonexistent' })).toBeNull();
  expect(await credentialsFor('r/app', { DOCKER_AUTH_CONFIG: '{' })).toBeNull();
});
