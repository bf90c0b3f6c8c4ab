import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { currentCallContext } from '@grpc-di/client-factory';
import { CASE_KEY } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';
import { APP_NAMES, APPS } from '../apps.js';
import { type LeafHop, startLeafHop } from '../leaf-client.js';
import { type Sender, senderTo } from '../senders.js';

const REQUESTS = 240;
const FATES = ['answered', 'too late', 'abandoned'] as const;

interface Member {
  readonly id: string;
  readonly fate: (typeof FATES)[number];
  /** In ms, for those that will be too late. */
  readonly timeoutMs: number;
}

test.each(APP_NAMES)(
  '%s: a crowd of requests that end in every way never see each other',
  async (name) => {
    await using hop = await startLeafHop({ metadata: ['x-member'] });
    const scopes = new Map<string, CallContextScope>();
    const mixedUp: string[] = [];
    const memberHere = (): unknown => currentCallContext()?.requestMetadata?.get('x-member')[0];
    await using app = await APPS[name](
      async (req) => {
        const id = req.url!.slice(1);
        const scope = surroundingScope()!;
        scopes.set(id, scope);
        const check = (where: string): void => {
          if (memberHere() !== id || surroundingScope() !== scope) {
            mixedUp.push(`${id} ${where}: ${String(memberHere())}`);
          }
        };
        check('at first');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
        check('after a timer');
        try {
          return (await hop.call(`${name}/${id}`)).id;
        } finally {
          check('after the call');
        }
      },
      { timeoutHeader: 'x-timeout' },
    );
    const crowd = Array.from({ length: REQUESTS }, (_, index): Member => {
      const timeoutMs = Math.round(20 + Math.random() * 150);
      return { id: String(index), fate: FATES[index % FATES.length]!, timeoutMs };
    });

    // Few connections for many requests.
    const sender = senderTo(app, 100);
    const statuses = await Promise.all(crowd.map((member) => follow(member, name, hop, sender)));
    sender.close();
    // An abandoned request is over for its client before it is for the server.
    await allOver(scopes);

    expect(mixedUp).toEqual([]);
    expect(statuses).toEqual(crowd.map(({ fate }) => ({ answered: 200, 'too late': 504, abandoned: undefined })[fate]));
    for (const { id, fate } of crowd) {
      const scope = scopes.get(id);
      if (fate === 'too late') {
        // One may have been so before its handler ran; and the far end's clock may be a millisecond ahead of ours.
        expect(scope?.subscriberCount ?? 0).toBe(0);
      } else {
        const code = fate === 'abandoned' ? 1 : undefined;
        expect([id, scope!.cancellationCode, scope!.subscriberCount]).toEqual([id, code, 0]);
      }
    }
  },
  60_000,
);

/** What happens to a request at the far end, according to its fate. */
async function follow(member: Member, app: string, hop: LeafHop, sender: Sender): Promise<number | undefined> {
  const caseId = `${app}/${member.id}`;
  const arrived = hop.leaf.arrived(caseId);
  const abandoned = member.fate === 'abandoned' ? arrived : undefined;
  const sent = sender.send(`/${member.id}`, headersOf(member), abandoned);
  if (member.fate !== 'too late') {
    const arrival = await arrived;
    expect([arrival.metadata.get(CASE_KEY), arrival.metadata.get('x-member')]).toEqual([[caseId], [member.id]]);
    if (member.fate === 'answered') {
      arrival.answer();
    } else {
      await arrival.cancelled;
    }
  }
  return sent;
}

async function allOver(scopes: Map<string, CallContextScope>): Promise<void> {
  for (const scope of scopes.values()) {
    while (!scope.hasEnded && !scope.isCancelled) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function headersOf({ id, fate, timeoutMs }: Member): Record<string, string> {
  return { 'x-member': id, 'x-timeout': fate === 'too late' ? String(timeoutMs) : '60000' };
}
