/**
 * WordPress in published versions and the MariaDB that they share, as images: PHP and MariaDB are Debian's programs with their
 * libraries, WordPress comes from the npm registry. Nothing is downloaded twice: it stays in `.tools`.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from './engine.ts';
import { buildImage, copyProgram, importImage } from './images.ts';

const run = promisify(execFile);

/** By the version that it calls itself, the name that it has in the package. */
const BUILDS = { '6.2.6': '6.2', '6.5.5': '6.5' } as const;
export type WordPressVersion = keyof typeof BUILDS;

const PACKAGE = '@wp-playground/wordpress-builds';
const PACKAGE_VERSION = '0.9.19';
const DOWNLOADED = join(import.meta.dirname, '../../.tools/wordpress');

/** The environment of a WordPress container, beside `WP_HOME`, the URL that browsers know it by. */
export const DB_PASSWORD = 'not a secret';

/** The name by which WordPress knows its database: link the container to it. */
export const DB_HOST = 'db';

/** Names of images, without their tags. */
export const WORDPRESS_IMAGE = 'cutover-test-wordpress';
export const MARIADB_IMAGE = 'cutover-test-mariadb';

/** The port of a WordPress container. */
export const WORDPRESS_PORT = 80;

const CONFIG = `<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', getenv('DB_PASSWORD'));
define('DB_HOST', '${DB_HOST}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_HOME', getenv('WP_HOME'));
define('WP_SITEURL', getenv('WP_HOME'));
// A session of one version is good in the other.
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
  define($name . '_KEY', "key of $name");
  define($name . '_SALT', "salt of $name");
}
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
define('WP_DEBUG_DISPLAY', false);
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`;

/**
 * Both versions work with the tables of the older one, as versions that share a database must. Without this word each would
 * send an administrator to a page that changes them.
 */
const SAME_TABLES = `<?php
add_filter('pre_option_db_version', function () { return $GLOBALS['wp_db_version']; });
`;

/** Builds the image of a WordPress; its tag is its version. */
export async function buildWordPress(engine: Engine, version: WordPressVersion): Promise<void> {
  const source = join(await download(), 'node_modules', PACKAGE);
  const build = BUILDS[version];
  const name = `${WORDPRESS_IMAGE}:${version}`;
  await inFolder(async (folder) => {
    const site = join(folder, 'site');
    await unpack({ source, build, site });
    mkdirSync(join(site, 'wp-content/mu-plugins'), { recursive: true });
    writeFileSync(join(site, 'wp-content/mu-plugins/same-tables.php'), SAME_TABLES);
    writeFileSync(join(site, 'wp-config.php'), CONFIG);
    const dockerfile = [
      `FROM ${await phpImage(engine)}`,
      'COPY site /site',
      // Each answers one request at a time.
      'ENV PHP_CLI_SERVER_WORKERS=4',
      'STOPSIGNAL SIGINT',
      `EXPOSE ${WORDPRESS_PORT}`,
      `CMD ["php", "-S", "0.0.0.0:${WORDPRESS_PORT}", "-t", "/site"]`,
    ];
    writeFileSync(join(folder, 'Dockerfile'), dockerfile.join('\n'));
    await buildImage(engine, { name, folder });
  });
}

/** The package has what PHP runs in an archive, and what is served as it is beside it. */
async function unpack({ source, build, site }: { source: string; build: string; site: string }): Promise<void> {
  const themes = 'wp-content/themes';
  const archive = (name: string) => join(source, 'src/wordpress', `wp-${name}.zip`);
  const files = (name: string) => join(source, 'public', `wp-${name}`);
  await run('unzip', ['-q', archive(build), '-x', `${themes}/*`, '-d', site]);
  cpSync(files(build), site, { recursive: true, filter: (path) => !path.includes(themes) });
  // The theme is the site's, whichever WordPress shows it.
  const theme = `${themes}/twentytwentythree`;
  await run('unzip', ['-q', archive(BUILDS['6.2.6']), `${theme}/*`, '-d', site]);
  cpSync(join(files(BUILDS['6.2.6']), theme), join(site, theme), { recursive: true });
}

/** An image of MariaDB with an empty database for WordPress; 3306 is its port. */
export async function buildMariaDb(engine: Engine): Promise<void> {
  const name = `${MARIADB_IMAGE}:latest`;
  await inFolder(async (root) => {
    copyProgram(root, '/usr/sbin/mariadbd');
    for (const path of ['/usr/share/mysql', '/etc/passwd', '/etc/group']) copy(root, path);
    mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
    const data = join(root, 'var/lib/mysql');
    const options = ['--no-defaults', '--user=root', '--innodb-log-file-size=4M'];
    await run('mariadb-install-db', [
      ...options,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      `--datadir=${data}`,
    ]);
    const init = [
      'CREATE DATABASE IF NOT EXISTS wordpress;',
      `GRANT ALL ON wordpress.* TO 'wordpress'@'%' IDENTIFIED BY '${DB_PASSWORD}';`,
    ];
    writeFileSync(join(root, 'init.sql'), init.join('\n'));
    const command = ['/usr/sbin/mariadbd', ...options, '--datadir=/var/lib/mysql', '--init-file=/init.sql'];
    command.push('--socket=/tmp/mysql.sock', '--bind-address=0.0.0.0', '--skip-name-resolve');
    await importImage(engine, { name, root, changes: [`CMD ${JSON.stringify(command)}`, 'EXPOSE 3306'] });
  });
}

async function phpImage(engine: Engine): Promise<string> {
  const name = 'cutover-test-php:1';
  await inFolder(async (root) => {
    copyProgram(root, '/usr/bin/php8.2', '/usr/bin/php');
    const { stdout: extensions } = await run('php8.2', ['-r', 'echo ini_get("extension_dir");']);
    for (const file of readdirSync(extensions)) copyProgram(root, join(extensions, file));
    for (const path of ['/etc/php/8.2', '/usr/share/zoneinfo', '/etc/passwd', '/etc/group']) copy(root, path);
    mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
    await importImage(engine, { name, root, changes: ['ENV PATH=/usr/bin'] });
  });
  return name;
}

/** The npm package, unpacked where the next run finds it. */
async function download(): Promise<string> {
  if (existsSync(join(DOWNLOADED, 'node_modules', PACKAGE, 'package.json'))) return DOWNLOADED;
  mkdirSync(DOWNLOADED, { recursive: true });
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...options, '--prefix', DOWNLOADED, `${PACKAGE}@${PACKAGE_VERSION}`]);
  return DOWNLOADED;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-wordpress-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What links point at is copied in their place. */
function copy(root: string, path: string): void {
  if (!existsSync(path)) return;
  mkdirSync(join(root, dirname(path)), { recursive: true });
  cpSync(path, join(root, path), { recursive: true, dereference: true });
}
