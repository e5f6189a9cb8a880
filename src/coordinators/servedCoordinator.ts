import { ConnectionRefusedError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { SharedPart } from '../parameters/SharedPart.ts';
import type { UpdateKind } from '../protocol/messages.ts';
import type { Attendance } from './Attendance.ts';
import type { ServedCoordinator } from './ChildServer.ts';
import type { MainState } from './MainState.ts';
import type { UpdateIdentity } from './Membership.ts';
import type { Publisher } from './Publisher.ts';
import type { Reports } from './Reports.ts';
import type { RoadReceipt } from './receipts.ts';

/** What a coordinator is doing: only while it is open does it take updates and children. */
export type Phase = 'open' | 'being restored' | 'closed';

/** The parts of a coordinator that remote children come to. */
export interface ServingParts {
  readonly main: MainState;
  readonly shared: SharedPart | undefined;
  readonly publisher: Publisher;
  readonly attendance: Attendance;
  readonly reports: Reports;
  /** Names this life of the coordinator. */
  readonly instance: string;
  readonly coordinator: {
    kind(): UpdateKind;
    phase(): Phase;
    submit(content: Gradients | ModelParameters, identity: UpdateIdentity): RoadReceipt;
    keepsUpdates(): boolean;
    hold(): void;
    release(): void;
    report(error: Error): void;
  };
}

/** A coordinator as the server of its remote children sees it. */
export function servedCoordinator(parts: ServingParts): ServedCoordinator {
  const { main, shared, publisher, attendance, reports, instance, coordinator } = parts;
  const checkLayout = (layout: ParameterLayout): boolean => {
    // Also before there is a main: a model that lacks a shared tensor never fits.
    const own = shared?.layoutOf(layout) ?? layout;
    main.layout?.assertFits(own, 'the model of the child', 'main');
    return main.layout !== undefined;
  };
  return {
    instance,
    get isBeingRestored() {
      return coordinator.phase() === 'being restored';
    },
    get version() {
      return main.version;
    },
    get terms() {
      return { kind: coordinator.kind(), sharedTensors: shared?.patterns };
    },
    main: () => publisher.main,
    checkLayout,
    checkSize(layout) {
      if (main.layout !== undefined && layout.length > main.layout.length) checkLayout(layout);
    },
    join(claim) {
      const phase = coordinator.phase();
      if (phase !== 'open')
        throw new ConnectionRefusedError(`the coordinator is ${phase} and takes no children`);
      return attendance.startSession(claim);
    },
    leave: (childId, epoch) => attendance.endSession(childId, epoch),
    submit: (content, identity) => coordinator.submit(content, identity),
    get keepsUpdates() {
      return coordinator.keepsUpdates();
    },
    hasTaken: (childId, epoch, sequence) => attendance.hasTaken(childId, epoch, sequence),
    hold: () => coordinator.hold(),
    release: () => coordinator.release(),
    takeReport: (childId, { subject, version, content }) =>
      reports.receive(childId, subject, version, content),
    report: (error) => coordinator.report(error),
  };
}
