import { expect, test } from 'vitest';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { readVersions } from '../support/read-versions.ts';
import { sendUntilAnswered } from '../support/send-until-answered.ts';
import { startService, startServiceKilledAt } from '../support/start-service.ts';

test.each(['before-begin', 'between-inserts', 'before-commit', 'after-commit'])(
  'a kill %s under load leaves both rows or neither, and repeats by key carry out each command once',
  async (place) => {
    const { env, root } = await prepareOrderService();
    const first = await startService(env);
    await first.until('service.ready');
    let url = first.url;
    const post = (n: number) => ({
      method: 'POST',
      path: '/boards',
      body: { title: `${n}`, content: '' },
      key: `p${n}`,
    });
    const posted = await Promise.all(
      [1, 2, 3, 4].map((n) => sendUntilAnswered(() => url, post(n))),
    );
    const ids = posted.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    first.stop();
    await first.ended;

    const dying = await startServiceKilledAt(place, env);
    await dying.until('service.ready');
    url = dying.url;
    const requests = [
      ...[5, 6, 7, 8].map(post),
      ...ids.flatMap((id, n) => [
        { method: 'PATCH', path: `/boards/${id}`, body: { title: `edited ${n}` }, key: `e${n}` },
        { method: 'PATCH', path: `/boards/${id}`, body: { content: `edited ${n}` }, key: `f${n}` },
      ]),
    ];
    const sending = requests.map((request) => sendUntilAnswered(() => url, request));
    expect(await dying.ended).toBe('SIGKILL');
    const next = await startService(env);
    url = next.url;
    const answers = await Promise.all(sending);
    expect(answers.map(({ status }) => status)).toEqual([
      ...[5, 6, 7, 8].map(() => 201),
      ...ids.flatMap(() => [200, 200]),
    ]);
    // Some of the commands met the crash.
    expect(answers.some(({ tries }) => tries > 1)).toBe(true);
    expect(answers.some(({ isRepeated }) => isRepeated)).toBe(place === 'after-commit');

    const again = await Promise.all(
      requests.map((request) => sendUntilAnswered(() => url, request)),
    );
    expect(again.map(({ body, isRepeated }) => ({ body, isRepeated }))).toEqual(
      answers.map(({ body }) => ({ body, isRepeated: true })),
    );
    const versions = await readVersions(root);
    expect(Object.values(versions).toSorted((a, b) => a.row - b.row)).toEqual([
      ...[5, 6, 7, 8].map(() => ({ row: 1, events: [1] })),
      ...ids.map(() => ({ row: 3, events: [1, 2, 3] })),
    ]);
  },
);
