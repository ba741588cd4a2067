/** The architecture and the style of the source, as far as a program can check them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { isAllowed, ruleOf } from './tidy/import-table.ts';
import { FILES, MODULES, type Module, placeOf, ROOT, read, visit } from './tidy/sources.ts';

/** Fewer means that the scan went blind, not that the project shrank. */
const MODULES_MIN = 60;
const LINES_MAX = 400;

/** Every place in the given modules where a node is wrong. */
function offences(modules: readonly Module[], isWrong: (node: ts.Node) => boolean): string[] {
  const found: string[] = [];
  for (const module of modules) {
    visit(module.tree, (node) => {
      if (isWrong(node)) found.push(`${placeOf(module, node)} ${node.getText().split('\n')[0]}`);
    });
  }
  return found;
}

const core = MODULES.filter((module) => module.path.startsWith('src/core/'));

it('sees the source', () => {
  expect(MODULES.length).toBeGreaterThan(MODULES_MIN);
  expect(core.length).toBeGreaterThan(20);
  expect(MODULES.flatMap((module) => module.imports).length).toBeGreaterThan(MODULES_MIN);
});

describe('imports', () => {
  it('keep to the table', () => {
    const wrong = MODULES.flatMap((module) => {
      const rule = ruleOf(module);
      if (rule === undefined) return [`${module.path} is in a folder that the table does not know`];
      return module.imports
        .filter((imported) => !isAllowed(rule, imported))
        .map((imported) => `${module.path} imports ${imported.specifier}`);
    });
    expect(wrong).toEqual([]);
  });

  it('name files that exist, by their .ts names', () => {
    const wrong = MODULES.flatMap((module) =>
      module.imports
        .filter(({ file }) => file !== null && !(file.endsWith('.ts') && existsSync(join(ROOT, file))))
        .map((imported) => `${module.path} imports ${imported.specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('make no circle', () => {
    expect(findCircle()).toBeNull();
  });
});

/** Everything that a program loads as it starts: its modules' paths, and the packages. */
function loadedBy(path: string): ReadonlySet<string> {
  const byPath = new Map(MODULES.map((module) => [module.path, module]));
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const { file, specifier, typeOnly, later } of byPath.get(name)?.imports ?? []) {
      if (!typeOnly && !later) load(file ?? specifier);
    }
  };
  load(path);
  return loaded;
}

/** The same, packages alone. */
function packagesOf(...programs: readonly string[]): readonly string[] {
  const loaded = new Set(programs.flatMap((program) => [...loadedBy(program)]));
  return [...loaded].filter((name) => !name.startsWith('src/') && !name.startsWith('node:')).sort();
}

it('a worker loads what carries traffic, and nothing that decides or parses configurations', () => {
  expect(packagesOf('src/worker.ts')).toEqual(['uuid']);
});

it('the main process loads what reads its flags, and nothing that parses configurations', () => {
  expect(packagesOf('src/cli/main.ts', 'src/main.ts', 'src/run-processes.ts')).toEqual(['commander']);
});

/** A circle of modules that import each other, types aside, or null. */
function findCircle(): string[] | null {
  const byPath = new Map(MODULES.map((module) => [module.path, module]));
  const done = new Set<string>();
  const follow = (path: string, trail: string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { file, typeOnly } of byPath.get(path)?.imports ?? []) {
      const circle = file === null || typeOnly ? null : follow(file, [...trail, path]);
      if (circle !== null) return circle;
    }
    done.add(path);
    return null;
  };
  for (const path of byPath.keys()) {
    const circle = follow(path, []);
    if (circle !== null) return circle;
  }
  return null;
}

describe('core is pure', () => {
  /** Names of the machine's clock, chance, timers, tasks and input and output. */
  const impure = new Set(
    'performance process setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask crypto fetch console Promise require globalThis global'.split(
      ' ',
    ),
  );

  it('uses no clock, chance, timer or process', () => {
    const wrong = offences(core, (node) => {
      if (!ts.isIdentifier(node)) return false;
      const { parent } = node;
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
      const isKey = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
      return impure.has(node.text) && !isMember && !isKey;
    });
    expect(wrong).toEqual([]);
  });

  it('asks neither for the time nor for chance', () => {
    const wrong = offences(core, (node) => {
      if (ts.isPropertyAccessExpression(node)) return ['Date.now', 'Math.random'].includes(node.getText());
      if (ts.isNewExpression(node)) return node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0;
      return ts.isCallExpression(node) && node.expression.getText() === 'Date';
    });
    expect(wrong).toEqual([]);
  });

  it('waits for nothing', () => {
    const wrong = offences(core, (node) => {
      return ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword;
    });
    expect(wrong).toEqual([]);
  });
});

describe('the source', () => {
  it('has no file that is too long', () => {
    const long = MODULES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
  });

  it('has no any and no non-null assertion', () => {
    const wrong = offences(MODULES, (node) => node.kind === ts.SyntaxKind.AnyKeyword || ts.isNonNullExpression(node));
    expect(wrong).toEqual([]);
  });

  it('exports by name', () => {
    const wrong = offences(
      MODULES,
      (node) => ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword,
    );
    expect(wrong).toEqual([]);
  });

  it('opens each module with its story', () => {
    const silent = MODULES.filter(({ text, tree }) => {
      const first = tree.statements.find((statement) => !ts.isImportDeclaration(statement));
      return !/^(#!.*\n)?\/\*\*/.test(text) && !first?.getFullText().includes('/**');
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('leaves no work marked as open', () => {
    const marker = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
    const marked = FILES.filter((path) => /^(src|bin|test|scripts|bench|demo)\//.test(path)).filter((path) =>
      marker.test(read(path)),
    );
    expect(marked).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = FILES.filter((path) => path.endsWith('.md'));
  const basenames = new Set(FILES.map((path) => basename(path)));
  const folders = new Set(
    FILES.flatMap((path) => path.split('/').map((_part, index, all) => all.slice(0, index).join('/'))),
  );
  const topFolders = new Set([...folders].filter((folder) => folder !== '' && !folder.includes('/')));

  it('are seen', () => {
    expect(documents.length).toBeGreaterThan(2);
  });

  /** Made by a build or a run, so not in the repository. */
  const made = /^(dist|coverage|node_modules|\.tools)(\/|$)/;

  function exists(path: string): boolean {
    const plain = normalize(path).replace(/\/$/, '');
    return plain === '.' || made.test(plain) || FILES.includes(plain) || folders.has(plain);
  }

  it.each(documents)('%s links to what exists', (document) => {
    const links = [...read(document).matchAll(/\]\(([^)\s#]+)(#[^)\s]*)?\)/g)].map((match) => match[1] as string);
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !exists(join(dirname(document), link)));
    expect(broken).toEqual([]);
  });

  it.each(documents)('%s names files that exist', (document) => {
    const named = [...read(document).matchAll(/`([\w./-]+)`/g)].map((match) => match[1] as string);
    const missing = named.filter((name) => {
      if (made.test(name)) return false;
      if (name.includes('/')) return topFolders.has(name.split('/')[0] as string) && !exists(name);
      return /\w\.(ts|md)$/.test(name) && !basenames.has(name);
    });
    expect(missing).toEqual([]);
  });
});
