import { expect, test } from 'vitest';
import { echoConfig } from '../../../src/core/config/echo.ts';
import { config, file } from './samples.ts';

test('the echo has the shape of the thesis: the text, then what it was understood as', () => {
  const text = `{
  "proxy": {
    "port": 1235
  },
  "configService": {
    "port": 9090
  },
  "cluster": {
    "servers": [
      {"ip": "192.168.50.10", "port": 8091},
      {"ip": "2001:db8::1", "port": 9091}
    ],
    "version": "2.5.1"
  }
}
`;
  expect(echoConfig(config(text), text)).toBe(`Parsed config file:
${text.trim()}
as:
Proxy{
  Proxy Address:      0.0.0.0:1235
  ConfigService Port: 9090
  Proxied Servers:    version: 2.5.1 [192.168.50.10:8091, [2001:db8::1]:9091]
}`);
});

test('secrets are masked, commented-out ones too; the rest of the text stays', () => {
  const text = `\uFEFF{ // the "token" was hush1\r
  "proxy": { "port": 0 }, /* keep */\r
  "configService": { "port": 0, /* "token": "hush2" */ "token": "hush3", "allowedHosts": ["ops.example"] },
  "cookies": { "secret": "hush4\\"" },
  "cluster": { "servers": [{ "ip": "::1", "port": 80 }] }
}`;
  const echo = echoConfig(config(text), text, { proxy: 40_001, configService: 40_002 });
  expect(echo).not.toMatch(/hush|\r|\uFEFF/);
  expect(echo).toContain('/* keep */');
  expect(echo).toContain('/* *** */ "token": "***", "allowedHosts": ["ops.example"]');
  expect(echo).toContain('"secret": "***" }');
  expect(echo).toContain('Proxy Address:      0.0.0.0:40001\n  ConfigService Port: 40002\n');
});

test('of an environment the names are shown', () => {
  const text = file({ cluster: { containers: [{ image: 'a', environment: ['USER=hush', 'hush', 'A=b=hush'] }] } });
  const echo = echoConfig(config(file()), text);
  expect(echo).toContain('"environment":["USER=***","***","A=***"]');
  expect(echo).not.toContain('hush');
});

test('a version in containers is told by its images', () => {
  const containers = [{ image: 'db' }, { image: 'app', tag: '2.0', portToProxy: 80 }];
  const text = file({ cluster: { containers, version: '2.0' } });
  expect(echoConfig(config(text), text)).toContain('version: 2.0 [db:latest, app:2.0]');
});
