import type { Clock } from '../clock.ts';
import { LimitExceededError } from '../errors.ts';
import { linkLimits } from '../limits.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { packMessage } from '../protocol/codec.ts';
import { ByteBudget } from '../transport/ByteBudget.ts';
import type { Channel } from '../transport/Channel.ts';
import { Heart } from '../transport/Heart.ts';
import type { LinkOptions } from '../transport/Link.ts';
import { Link } from '../transport/Link.ts';
import type { Connection } from '../transport/Transport.ts';
import type { ChildServer } from './ChildServer.ts';
import type { Authenticate } from './options.ts';
import type { SessionHost } from './Session.ts';
import { Session } from './Session.ts';
import { toWireError } from './wireError.ts';

/** What a reception needs. */
export interface ReceptionOptions {
  readonly clock: Clock;
  readonly connectionsMax: number;
  readonly updatesPerSecondMax: number;
  readonly authenticate: Authenticate | undefined;
  /** The coordinator of a federation that a model of this layout fits. Throws where there is none. */
  choose(federation: string, layout: ParameterLayout | undefined): ChildServer;
  report(error: Error): void;
}

const politeRefusalsMax = 64;

/** Takes connections, up to a limit, and leads each child to its coordinator. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #heart: Heart;
  readonly #budget = new ByteBudget(linkLimits.unfinishedBytesMax);
  readonly #sessionHost: SessionHost;
  readonly #linkOptions: LinkOptions;
  readonly #sessions = new Set<Session>();
  /** Sessions that are not in yet, and when they began. */
  readonly #strangers = new Map<Session, number>();
  #links = 0;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    const { clock, authenticate } = options;
    this.#heart = new Heart(clock, linkLimits.heartbeatMs);
    this.#sessionHost = {
      authenticate: ({ federation, childId, token }, peer) =>
        authenticate === undefined || authenticate({ federation, childId, token, peer }),
      choose: ({ federation }, layout) => options.choose(federation, layout),
      updatesPerSecondMax: options.updatesPerSecondMax,
      now: () => clock.now(),
      joined: (session) => this.#forgetStranger(session),
      ended: (session) => {
        this.#sessions.delete(session);
        this.#forgetStranger(session);
      },
      report: (error) => options.report(error),
    };
    this.#linkOptions = {
      heart: this.#heart,
      budget: this.#budget,
      accept: (channel) => this.#accept(channel),
      ended: (error, hasSpoken) => {
        this.#links--;
        // Sessions report what they are told; a stranger's nonsense has nobody else.
        if (!hasSpoken && error !== undefined) options.report(error);
      },
    };
  }

  /** Takes a new connection. */
  serve(connection: Connection): void {
    // A few more than are served are listened to, to be told that there are too many.
    if (this.#links >= this.#options.connectionsMax + politeRefusalsMax) {
      connection.receive({ frame() {}, drained() {}, closed() {} });
      connection.close();
      return;
    }
    this.#links++;
    new Link(connection, this.#linkOptions);
  }

  /** Says goodbye to all. */
  dismiss(): void {
    for (const session of [...this.#sessions]) session.dismiss(null);
  }

  beat(nowMs: number): void {
    for (const [session, sinceMs] of this.#strangers) {
      if (nowMs - sinceMs > linkLimits.handshakeMsMax)
        session.refuse(new LimitExceededError(`no hello within ${linkLimits.handshakeMsMax} ms`));
    }
  }

  #accept(channel: Channel): void {
    const { connectionsMax } = this.#options;
    if (this.#links > connectionsMax || this.#sessions.size >= connectionsMax) {
      const reason = `${connectionsMax} connections are open, no more are allowed`;
      const error = toWireError(new LimitExceededError(reason));
      const { kind, metadata } = packMessage({ type: 'refusal', error });
      channel.send(kind, metadata);
      channel.close();
      return;
    }
    const session = new Session(this.#sessionHost, channel);
    this.#sessions.add(session);
    if (this.#strangers.size === 0) this.#heart.add(this);
    this.#strangers.set(session, this.#options.clock.now());
  }

  #forgetStranger(session: Session): void {
    if (this.#strangers.delete(session) && this.#strangers.size === 0) this.#heart.remove(this);
  }
}
