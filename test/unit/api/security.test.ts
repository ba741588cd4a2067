import { describe, expect, it } from 'vitest';
import { type Caller, createGuard } from '../../../src/api/security.ts';

const open = createGuard({ token: null, allowedHosts: ['Admin.Example.', 'fd00::5', '10.1.2.3'] });

function caller(fields: Partial<Caller>): Caller {
  return {
    host: 'localhost:8081',
    origin: undefined,
    authorization: undefined,
    localAddress: '::ffff:192.0.2.7',
    ...fields,
  };
}

describe('the Host a request names', () => {
  it.each([
    'localhost',
    'LOCALHOST:1',
    'localhost.',
    'app.localhost:8081',
    '127.0.0.1:8081',
    '127.8.9.10',
    '[::1]:8081',
    '[0:0:0:0:0:0:0:1]',
    '192.0.2.7:65535',
    'admin.example:443',
    'ADMIN.EXAMPLE.',
    '[fd00::5]:80',
    '10.1.2.3',
  ])('%s is ours', (host) => {
    expect(open(caller({ host }))).toBeNull();
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil-localhost',
    'xlocalhost',
    '127.0.0.1.evil.example',
    '192.0.2.8',
    '[::2]',
    'localhost@evil.example',
    'user@localhost',
    'localhost/evil',
    'localhost:80:80',
    'localhost:x',
    '',
    ' ',
  ])('%j is not ours', (host) => {
    expect(open(caller({ host }))?.status).toBe(403);
  });

  it('may be missing, as in HTTP/1.0', () => {
    expect(open(caller({ host: undefined }))).toBeNull();
  });

  it('may be the IPv6 address that was reached', () => {
    expect(open(caller({ host: '[2001:DB8::1]:80', localAddress: '2001:db8::1' }))).toBeNull();
    expect(open(caller({ host: '[2001:db8::2]:80', localAddress: '2001:db8::1' }))?.status).toBe(403);
  });
});

describe('the Origin a page has', () => {
  it.each([
    ['http://localhost:8081', 'localhost:8081'],
    ['http://LOCALHOST:8081', 'localhost:8081'],
    ['http://localhost', 'localhost:80'],
    ['https://admin.example', 'admin.example'],
    ['http://[::1]:8081', '[::1]:8081'],
  ])('%s asking %s is our own page', (origin, host) => {
    expect(open(caller({ origin, host }))).toBeNull();
  });

  it.each([
    ['http://evil.example', 'localhost:8081'],
    ['http://localhost:3000', 'localhost:8081'],
    ['http://127.0.0.1:8081', 'localhost:8081'],
    ['null', 'localhost:8081'],
    ['', 'localhost:8081'],
    ['file://localhost:8081', 'localhost:8081'],
    ['http://localhost:8081/x', 'localhost:8081'],
    ['http://localhost:8081@evil.example', 'localhost:8081'],
    ['http://localhost', undefined],
  ])('%j asking %s is foreign', (origin, host) => {
    expect(open(caller({ origin, host }))?.status).toBe(403);
  });
});

describe('the bearer token', () => {
  const locked = createGuard({ token: 's3cret', allowedHosts: [] });

  it.each(['Bearer s3cret', 'bearer s3cret', 'Bearer   s3cret '])('%j opens', (authorization) => {
    expect(locked(caller({ authorization }))).toBeNull();
  });

  it.each([
    undefined,
    '',
    's3cret',
    'Basic s3cret',
    'Bearer',
    'Bearer ',
    'Bearer s3cre',
    'Bearer s3cret2',
    'Bearer S3CRET',
  ])('%j does not', (authorization) => {
    expect(locked(caller({ authorization }))?.status).toBe(401);
  });

  it('does not make a foreign Host or Origin welcome', () => {
    const authorization = 'Bearer s3cret';
    expect(locked(caller({ authorization, host: 'evil.example' }))?.status).toBe(403);
    expect(locked(caller({ authorization, origin: 'http://evil.example' }))?.status).toBe(403);
  });

  it('is never part of a refusal', () => {
    expect(JSON.stringify(locked(caller({ authorization: 'Bearer wrong' })))).not.toMatch(/s3cret|wrong/);
  });
});
