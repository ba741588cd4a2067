/** The project's own files, read once, and what its modules import. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

export const ROOT = join(import.meta.dirname, '../../..');

/** Every file that is, or is about to be, in the repository; paths from its root. */
export const FILES: readonly string[] = listFiles();

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The path from the root of a file of ours, or null for a package or a part of Node. */
  readonly file: string | null;
  readonly typeOnly: boolean;
  /** By `import()`: loaded when it is asked for. */
  readonly later: boolean;
}

export interface Module {
  /** Path from the root, such as `src/core/messages.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export const MODULES: readonly Module[] = FILES.filter((path) => /^src\/.*\.ts$/.test(path)).map(readModule);

function listFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return [...new Set(listed)].filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function readModule(path: string): Module {
  const text = read(path);
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      imports.push(
        importOf(path, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword),
      );
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      imports.push(importOf(path, node.moduleSpecifier, node.isTypeOnly));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      imports.push({ ...importOf(path, node.arguments[0], false), later: true });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push(importOf(path, node.argument.literal, true));
    }
  });
  return { path, text, tree, imports };
}

function importOf(from: string, node: ts.Node | undefined, typeOnly: boolean): Import {
  // A computed import is shown as it is written, which no rule allows.
  const specifier = node && ts.isStringLiteral(node) ? node.text : (node?.getText() ?? '');
  const file = specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : null;
  return { specifier, file, typeOnly, later: false };
}

/** Calls back for each node of a tree, from the root down. */
export function visit(node: ts.Node, seen: (node: ts.Node) => void): void {
  seen(node);
  ts.forEachChild(node, (child) => visit(child, seen));
}

/** `path:line`, for messages. */
export function placeOf(module: Module, node: ts.Node): string {
  const { line } = module.tree.getLineAndCharacterOfPosition(node.getStart());
  return `${module.path}:${line + 1}`;
}
