import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { reckon } from '../../../dist/measurements/overload/reckon.js';

describe('reckon()', () => {
  it('counts answers, and the time of workers, within the window only', () => {
    // given
    const answered = { dueMs: 1_000, attempts: [{ id: 1, endedMs: 1_200, code: status.OK }] };
    const retried = {
      dueMs: 1_100,
      attempts: [
        { id: 2, endedMs: 1_350, code: status.DEADLINE_EXCEEDED },
        { id: 3, endedMs: 1_500, code: status.OK },
      ],
    };
    const late = { dueMs: 900, attempts: [{ id: 4, endedMs: 2_100, code: status.OK }] };
    const shifts = [
      { attempt: 1, workMs: 300, begunMs: 900, endedMs: 1_200, done: true },
      { attempt: 2, workMs: 300, begunMs: 1_200, endedMs: 1_500, done: true },
      { attempt: 4, workMs: 500, begunMs: 1_900, endedMs: 2_100, done: true },
    ];

    // when
    const outcome = reckon([answered, retried, late], shifts, 1, { fromMs: 1_000, toMs: 2_000 });

    // then
    expect(outcome).toEqual({
      offered: 2,
      goodput: 2,
      wasted: 0.3,
      useful: 0.3,
      doneForNobody: 1,
      p50: 300,
      p99: expect.closeTo(398),
      otherwise: 0,
    });
  });
});
