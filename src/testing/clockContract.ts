import type { Clock } from '../clock.ts';
import type { ContractCase } from './contract.ts';
import { ensure } from './contract.ts';

/** What the contract of a clock is tried with. */
export interface ClockContractOptions {
  /** A clock; it may be the same each time. */
  create(): Clock;
  /** Lets at least so much time of the clock pass. */
  pass(clock: Clock, forMs: number): Promise<void>;
}

/** The promises of a Clock. */
export function clockContract(options: ClockContractOptions): ContractCase[] {
  return [...timeCases(options), ...timerCases(options)];
}

function timeCases({ create, pass }: ClockContractOptions): ContractCase[] {
  return [
    {
      name: 'time is a number that grows',
      async run() {
        const clock = create();
        const before = clock.now();
        await pass(clock, 3);
        const after = clock.now();
        ensure(Number.isFinite(before) && Number.isFinite(after), `the times are ${before} and ${after}`);
        // Timers of a platform may be a millisecond early.
        ensure(after - before > 1, `3 ms took from ${before} to ${after}`);
      },
    },
    {
      name: 'a turn ends',
      async run() {
        await create().yieldTurn();
      },
    },
  ];
}

function timerCases({ create, pass }: ClockContractOptions): ContractCase[] {
  return [
    {
      name: 'a timer runs once, and not from inside schedule, whatever its delay',
      async run() {
        const clock = create();
        const counts = [0, 0, 0];
        [-5, 0, 2].forEach((delayMs, index) => {
          clock.schedule(() => {
            counts[index] = (counts[index] as number) + 1;
          }, delayMs);
        });
        ensure(counts.join() === '0,0,0', 'a timer ran from inside schedule');
        await pass(clock, 4);
        await pass(clock, 4);
        ensure(counts.join() === '1,1,1', `the timers ran ${counts} times`);
      },
    },
    {
      name: 'timers run by their times, those of one delay in the order of their making',
      async run() {
        const clock = create();
        const ran: string[] = [];
        for (const [name, delayMs] of [
          ['d', 6] as const,
          ['a', 2] as const,
          ['b', 2] as const,
          ['c', 4] as const,
        ])
          clock.schedule(() => void ran.push(name), delayMs);
        await pass(clock, 8);
        ensure(ran.join('') === 'abcd', `timers ran in the order ${ran}, expected a,b,c,d`);
      },
    },
    {
      name: 'what is cancelled does not run; a cancel that comes again, or too late, does nothing',
      async run() {
        const clock = create();
        const ran: string[] = [];
        const cancelA = clock.schedule(() => void ran.push('a'), 1);
        const cancelB = clock.schedule(() => void ran.push('b'), 1);
        cancelA();
        cancelA();
        await pass(clock, 3);
        cancelB();
        clock.schedule(() => void ran.push('c'), 1);
        cancelA();
        cancelB();
        await pass(clock, 3);
        ensure(ran.join('') === 'bc', `of a (cancelled), b and c, these ran: ${ran}`);
      },
    },
  ];
}
