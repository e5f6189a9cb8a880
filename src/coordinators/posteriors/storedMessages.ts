import type { Beliefs } from '../../models/bayesian/beliefs.ts';
import { parametersOfBeliefs, readBeliefs } from '../../models/bayesian/tensors.ts';
import type { ParameterLayout } from '../../parameters/ParameterLayout.ts';
import type { StoreOperation } from '../../storage/Store.ts';
import type { Ledger, ReadRecord } from '../Ledger.ts';
import { decodeTensors, encodeTensors } from '../persistence.ts';

const prefix = 'message/';

/** The key of what a child has said. */
export function messageKey(childId: string): string {
  return prefix + encodeURIComponent(childId);
}

/** What is stored of a child's message. */
export function storedMessage(
  childId: string,
  message: Beliefs,
  layout: ParameterLayout,
  version: number,
): StoreOperation {
  const { values } = parametersOfBeliefs(message, layout);
  return {
    key: messageKey(childId),
    value: encodeTensors(layout, values, { version, outerDtype: 'float64' }),
  };
}

/** All messages that are stored, by child. Throws LayoutMismatchError where they are about something else. */
export async function readMessages<B extends Beliefs>(
  read: ReadRecord,
  records: Pick<Ledger, 'keys'>,
  prior: B,
  layout: ParameterLayout,
): Promise<Map<string, B>> {
  const messages = new Map<string, B>();
  for (const key of await records.keys(prefix)) {
    const stored = await read(key);
    if (stored === undefined) continue;
    const { parameters } = decodeTensors(stored);
    layout.assertFits(parameters.layout, 'stored messages', 'the prior');
    messages.set(decodeURIComponent(key.slice(prefix.length)), readBeliefs(parameters, prior));
  }
  return messages;
}
