import {
  type Corruption,
  boardOf,
  catalogOf,
  eventAt,
  lastEvents,
  markOf,
  noBoard,
  one,
  stateOf,
} from './corrupt.ts';

/** What breaks the rules of check-catalog.ts, each a single one. */
export const catalogCorruptions: readonly Corruption[] = [
  {
    rule: 'nothing is applied that was not committed',
    name: 'a catalog row without a board',
    apply({ evidence }) {
      evidence.catalog.push({ ...noBoard, id: 'ghost', appliedCount: 1 });
      return true;
    },
  },
  {
    rule: 'nothing is applied that was not committed',
    name: 'a mark without a board',
    apply({ evidence }) {
      evidence.marks.push({ boardId: 'ghost', version: 1, eventId: 'ghost' });
      return true;
    },
  },
  {
    rule: 'nothing is applied that was not committed',
    name: 'a parked event without a board',
    apply({ evidence }) {
      evidence.parked.push({ boardId: 'ghost', version: 2, eventId: 'ghost' });
      return true;
    },
  },
  {
    rule: 'the mark is the version of the board',
    name: 'an event that was lost on its way to the catalog',
    apply(run, pick) {
      const { evidence } = run;
      return one(
        pick,
        lastEvents(run).filter(({ version }) => version > 1),
        ({ boardId, version }) => {
          const before = eventAt(evidence, boardId, version - 1);
          if (!before) return;
          Object.assign(markOf(evidence, boardId) ?? {}, {
            version: version - 1,
            eventId: before.id,
          });
          Object.assign(catalogOf(evidence, boardId) ?? {}, {
            ...stateOf(before),
            appliedCount: version - 1,
          });
        },
      );
    },
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a mark of another event',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ version, boardId }) => version > 0 && boardOf(evidence, boardId)),
        (mark) => {
          mark.eventId = 'another';
        },
      ),
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a mark ahead of its board',
    apply: (run, pick) =>
      one(pick, lastEvents(run), ({ boardId }) => {
        const mark = markOf(run.evidence, boardId);
        if (mark) mark.version += 1;
      }),
  },
  ...(['title', 'content', 'author', 'createdAt', 'updatedAt'] as const).map(
    (field): Corruption => ({
      rule: 'a catalog row is its board',
      name: `a catalog row with another ${field}`,
      apply: ({ evidence }, pick) =>
        one(pick, evidence.catalog, (row) => {
          Object.assign(row, { [field]: field.endsWith('At') ? 7 : 'other' });
        }),
    }),
  ),
  {
    rule: 'a catalog row is its board',
    name: 'a catalog row that is deleted although its board is not, or the reverse',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        row.deletedAt = row.deletedAt === null ? 1 : null;
      }),
  },
  {
    rule: 'a catalog row is its board',
    name: 'a mark without its effect',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        evidence.catalog = evidence.catalog.filter((other) => other !== row);
      }),
  },
  {
    rule: 'an event is applied once',
    name: 'an event that was applied twice',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        row.appliedCount += 1;
      }),
  },
  {
    rule: 'a creation is counted once',
    name: 'a creation that was counted twice',
    apply({ evidence: { createdPerDay } }, pick) {
      return one(pick, Object.keys(createdPerDay), (day) => {
        createdPerDay[day] = (createdPerDay[day] ?? 0) + 1;
      });
    },
  },
  {
    rule: 'a creation is counted once',
    name: 'a creation that was counted on another day',
    apply({ evidence: { createdPerDay } }, pick) {
      return one(pick, Object.keys(createdPerDay), (day) => {
        createdPerDay[day] = (createdPerDay[day] ?? 0) - 1;
        createdPerDay['2001-01-01'] = 1;
      });
    },
  },
  {
    rule: 'nothing stays parked',
    name: 'a parked event behind its mark',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ boardId, version }) => version > 0 && boardOf(evidence, boardId)),
        (mark) => {
          evidence.parked.push({ ...mark });
        },
      ),
  },
  {
    rule: 'nothing stays parked',
    name: 'an event that waits for a predecessor which never comes',
    apply: (run, pick) =>
      one(pick, lastEvents(run), ({ boardId, version }) => {
        run.evidence.parked.push({ boardId, version: version + 2, eventId: 'late' });
      }),
  },
  {
    rule: 'what follows a dead letter is parked',
    name: 'a follower of a dead letter that was dropped',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.parked, (row) => {
        evidence.parked = evidence.parked.filter((other) => other !== row);
      }),
  },
  {
    rule: 'what follows a dead letter is parked',
    name: 'another event in the place of a follower',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.parked, (row) => {
        row.eventId = 'another';
      }),
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a dead letter that is closed although its event was never applied',
    apply({ evidence }, pick) {
      const waiting = new Set(evidence.parked.map(({ boardId }) => boardId));
      const alone = evidence.deadLetters.filter(
        ({ eventId, boardId }) => eventId !== null && !waiting.has(boardId ?? ''),
      );
      return one(pick, alone, (row) => {
        row.closedBy = 'dismissed';
      });
    },
  },
  {
    rule: 'nothing is skipped',
    name: 'a version that was skipped',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ boardId }) => boardOf(evidence, boardId)),
        ({ boardId, version }) => {
          evidence.skipped.push({ boardId, version: version + 1, decidedBy: 'policy' });
        },
      ),
  },
];
