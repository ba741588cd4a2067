/** Who may import what: the table of ARCHITECTURE.md. */
import type { Import, Module } from './sources.ts';

interface Rule {
  /** Folders of `src/`, or single files, that may be imported. */
  readonly own: readonly string[];
  /** The same, for types alone. */
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  /** Modules of Node; a type of any of them may always be named, but in core. */
  readonly node?: readonly string[] | 'all';
}

const ADAPTER: Rule = { own: ['core', 'system'], types: ['control/ports.ts'], node: 'all' };

const IMPORT_TABLE: Readonly<Record<string, Rule>> = {
  core: { own: ['core'], packages: ['zod', 'jsonc-parser', 'semver'] },
  system: { own: ['system'], types: ['core'], packages: ['uuid', 'pino'], node: 'all' },
  proxy: { own: ['core', 'system', 'proxy'], node: ['node:net', 'node:tls', 'node:http2', 'node:util'] },
  control: { own: ['core', 'system', 'control'] },
  docker: { ...ADAPTER, own: [...ADAPTER.own, 'docker'], packages: ['dockerode'] },
  store: { ...ADAPTER, own: [...ADAPTER.own, 'store'], packages: ['zod'] },
  metrics: { ...ADAPTER, own: [...ADAPTER.own, 'metrics'] },
  api: {
    own: ['core', 'metrics', 'api'],
    packages: ['hono', '@hono/node-server', 'zod'],
    node: ['node:http', 'node:crypto'],
  },
  cli: {
    own: [
      'cli',
      'api/contract.ts',
      'core/config',
      'core/containers',
      'system',
      'client.ts',
      'main.ts',
      'load-config.ts',
    ],
    packages: ['commander'],
    node: 'all',
  },
  'assemble.ts': { own: [''] },
  'assemble-control.ts': { own: [''] },
  processes: { own: ['core', 'system', 'processes'], types: ['control/ports.ts'], node: ['node:fs', 'node:path'] },
  'main.ts': { own: [''], node: 'all' },
  'run-alone.ts': { own: [''], node: 'all' },
  'run-processes.ts': { own: [''], node: 'all' },
  'main-sockets.ts': { own: [''] },
  'main-log.ts': { own: ['core', 'system'] },
  'signals.ts': { own: ['system'], node: 'all' },
  'control.ts': { own: [''], node: 'all' },
  'worker.ts': { own: ['core', 'system', 'proxy', 'processes'], node: 'all' },
  'load-config.ts': { own: ['core', 'system'], node: 'all' },
  'index.ts': { own: [''], node: 'all' },
  'client.ts': { own: [''], node: 'all' },
};

/** The rule for a module: its folder's, or its own for the roots; undefined when the table has none. */
export function ruleOf(module: Module): Rule | undefined {
  return IMPORT_TABLE[module.path.split('/')[1] ?? ''];
}

export function isAllowed(rule: Rule, imported: Import): boolean {
  if (imported.file !== null) {
    const places = imported.typeOnly ? [...rule.own, ...(rule.types ?? [])] : rule.own;
    const file = imported.file;
    return places.some((place) => place === '' || file === `src/${place}` || file.startsWith(`src/${place}/`));
  }
  if (imported.specifier.startsWith('node:')) {
    if (rule.node === undefined) return false;
    return rule.node === 'all' || imported.typeOnly || rule.node.includes(imported.specifier);
  }
  return (rule.packages ?? []).some((name) => imported.specifier === name || imported.specifier.startsWith(`${name}/`));
}
