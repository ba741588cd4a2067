/**
 * The thesis's own trial (chapter 6): WordPress is upgraded from one published version to another, both on one MariaDB, before the
 * eyes of somebody who is logged in and goes on working; then the new version's container is stopped. A real browser sees no error.
 */
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { call, type WireCluster } from '../kit/config-service.ts';
import { type RunningCutover, startProxy } from '../kit/cutover.ts';
import { removeContainers, sharedEngine } from '../kit/engine.ts';
import { settledPort } from '../kit/run-image.ts';
import {
  buildMariaDb,
  buildWordPress,
  DB_HOST,
  DB_PASSWORD,
  MARIADB_IMAGE,
  WORDPRESS_IMAGE,
  WORDPRESS_PORT,
  type WordPressVersion,
} from '../kit/wordpress.ts';
import { installWordPress, startBrowser, WordPressUser } from '../kit/wordpress-user.ts';

const OLD = '6.2.6';
const NEW = '6.5.5';

interface Trial {
  readonly site: string;
  readonly proxy: RunningCutover;
  readonly browser: Browser;
  /** Logged in before the upgrade. */
  readonly user: WordPressUser;
}

interface Release {
  readonly options: Readonly<Record<string, unknown>>;
  /** What is seen between the PUT and the end of the release. */
  during(trial: Trial, id: string): Promise<void>;
}

const RELEASES: Readonly<Record<string, Release>> = {
  INSTANT: { options: { mode: 'INSTANT' }, during: async () => {} },
  SESSION: {
    options: { mode: 'SESSION', sessionTimeout: 2 },
    during: async ({ site, proxy, browser, user }) => {
      expect(await user.lookAtDashboard()).toBe(OLD);
      const visitor = await WordPressUser.logIn(browser, site);
      expect(await visitor.lookAtDashboard()).toBe(NEW);
      await visitor.leave();
      expect(visitor.errors).toEqual([]);
      // A pause longer than a session, as people make them.
      await isReleased(proxy);
    },
  },
  GRADUAL: {
    options: { mode: 'GRADUAL', percentageTransitionPerRequest: 10 },
    during: async ({ site, proxy, browser, user }, id) => {
      for (let answers = 0; answers < 5; answers += 1) await visit(site);
      // While it stands at half: each user has one version only, and both versions have users.
      await call(proxy.configPort, 'POST', `/${id}/pause`);
      const version = await user.lookAtDashboard();
      for (let seen = version; seen === version; ) {
        const visitor = await WordPressUser.logIn(browser, site);
        seen = await visitor.lookAtDashboard();
        await visitor.comment();
        expect(await visitor.lookAtDashboard()).toBe(seen);
        await visitor.leave();
        expect(visitor.errors).toEqual([]);
      }
      expect(await user.lookAtDashboard()).toBe(version);
      await call(proxy.configPort, 'POST', `/${id}/resume`);
      for (let answers = 0; answers < 10; answers += 1) await visit(site);
      await isReleased(proxy);
    },
  },
  // The database is one, so that only what changes nothing may be done twice.
  CONCURRENT: {
    options: { mode: 'CONCURRENT', methods: ['GET', 'HEAD', 'OPTIONS'], patience: 20 },
    during: async () => {},
  },
};
const modes = process.env.CUTOVER_TEST_FULL === '1' ? Object.keys(RELEASES) : ['INSTANT'];

const engine = sharedEngine();

beforeAll(async () => {
  await buildMariaDb(engine);
  await buildWordPress(engine, OLD);
  await buildWordPress(engine, NEW);
}, 180_000);
afterEach(() => removeContainers(engine));

test.each(modes)('WordPress is upgraded by %s', { timeout: 120_000 }, async (mode) => {
  const { options, during } = RELEASES[mode] as Release;
  const port = await settledPort();
  const site = `http://127.0.0.1:${port}`;
  const proxy = await startProxy(wordPress(OLD, site), { proxy: { hostname: '127.0.0.1', port }, putWait: 60 });
  await installWordPress(site);
  const browser = await startBrowser();
  try {
    const user = await WordPressUser.logIn(browser, site);
    expect(await user.lookAtDashboard()).toBe(OLD);
    await user.comment();

    const id = await proxy.put({ ...wordPress(NEW, site), upgradeTransition: options });
    await during({ site, proxy, browser, user }, id);
    expect(await user.lookAtDashboard()).toBe(NEW);
    await user.comment();

    await stopNew();
    expect(await user.lookAtDashboard()).toBe(OLD);
    await user.comment();
    expect(await user.lookAtDashboard()).toBe(OLD);
    expect(user.errors).toEqual([]);
  } finally {
    await browser.close();
  }
});

/** A WordPress, and the database that it shares with other versions: it has the same name and the same options in each. */
function wordPress(version: WordPressVersion, site: string): WireCluster {
  const database = `cutover-test-db-${engine.label.value}`;
  const common = { stopTimeout: 5, dockerHost: { socketPath: engine.socketPath } };
  return {
    version,
    containers: [
      { ...common, image: MARIADB_IMAGE, name: database },
      {
        ...common,
        image: WORDPRESS_IMAGE,
        tag: version,
        portToProxy: WORDPRESS_PORT,
        links: [`${database}:${DB_HOST}`],
        environment: [`WP_HOME=${site}`, `DB_PASSWORD=${DB_PASSWORD}`],
      },
    ],
    // WordPress sends whoever calls it by another name to the right one.
    healthCheck: { path: '/wp-login.php', host: new URL(site).host, expect: [200, 302, 500], interval: 1, timeout: 10 },
  };
}

/** The container of the new version that is proxied to. */
async function stopNew(): Promise<void> {
  const running = await engine.docker.listContainers({ filters: { label: [`cutover.version=${NEW}`] } });
  const [container] = running.filter(({ Image }) => Image.includes(WORDPRESS_IMAGE) || Image.startsWith('sha256'));
  await engine.docker.getContainer(container?.Id ?? '').stop({ t: 5 });
}

function isReleased({ log }: RunningCutover): Promise<unknown> {
  return log.line('NOTICE', /^Version .* is released/);
}

/** Somebody without cookies. */
async function visit(site: string): Promise<void> {
  const answer = await fetch(`${site}/wp-login.php`);
  expect(answer.status).toBe(200);
  await answer.text();
}
