package org.peerlane.dmabuf.core;

import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;

/** The checkpoints of the core's protocols, in the order in which each protocol passes them. */
final class Points {
    final Checkpoint exportBeforeListed;
    final Checkpoint listFound;
    final Checkpoint releaseBegun;
    final Checkpoint releaseUnlisted;
    final Checkpoint releaseReleased;
    final Checkpoint attachAsked;
    final Checkpoint attachListed;
    final Checkpoint detachUnlisted;
    final Checkpoint mapEntered;
    final Checkpoint mapPinned;
    final Checkpoint mapMapped;
    final Checkpoint mapDone;
    final Checkpoint unmapEntered;
    final Checkpoint unmapDone;
    final Checkpoint invalidateBegun;
    final Checkpoint invalidateTold;
    final Checkpoint invalidateDone;
    final Checkpoint revokeMarked;
    final Checkpoint revokeInvalidated;
    final Checkpoint revokeIdle;
    final Checkpoint revokeUnmapped;
    final Checkpoint revokeDone;
    final Checkpoint unrevokeIdle;
    final Checkpoint cpuPrepared;
    final Checkpoint pollArming;
    final Checkpoint faultEntered;
    final Checkpoint departureTakenBack;

    Points(Execution execution) {
        exportBeforeListed = execution.checkpoint("dmabuf.export.before-listed");
        listFound = execution.checkpoint("dmabuf.list.found");
        releaseBegun = execution.checkpoint("dmabuf.release.begun");
        releaseUnlisted = execution.checkpoint("dmabuf.release.unlisted");
        releaseReleased = execution.checkpoint("dmabuf.release.released");
        attachAsked = execution.checkpoint("dmabuf.attach.asked");
        attachListed = execution.checkpoint("dmabuf.attach.listed");
        detachUnlisted = execution.checkpoint("dmabuf.detach.unlisted");
        mapEntered = execution.checkpoint("dmabuf.map.entered");
        mapPinned = execution.checkpoint("dmabuf.map.after-pin");
        mapMapped = execution.checkpoint("dmabuf.map.after-map");
        mapDone = execution.checkpoint("dmabuf.map.done");
        unmapEntered = execution.checkpoint("dmabuf.unmap.entered");
        unmapDone = execution.checkpoint("dmabuf.unmap.done");
        invalidateBegun = execution.checkpoint("dmabuf.invalidate.begun");
        invalidateTold = execution.checkpoint("dmabuf.invalidate.told");
        invalidateDone = execution.checkpoint("dmabuf.invalidate.done");
        revokeMarked = execution.checkpoint("dmabuf.revoke.marked");
        revokeInvalidated = execution.checkpoint("dmabuf.revoke.invalidated");
        revokeIdle = execution.checkpoint("dmabuf.revoke.fences-signaled");
        revokeUnmapped = execution.checkpoint("dmabuf.revoke.unmapped");
        revokeDone = execution.checkpoint("dmabuf.revoke.done");
        unrevokeIdle = execution.checkpoint("dmabuf.unrevoke.fences-signaled");
        cpuPrepared = execution.checkpoint("dmabuf.cpu.prepared");
        pollArming = execution.checkpoint("dmabuf.poll.arming");
        faultEntered = execution.checkpoint("dmabuf.fault.entered");
        departureTakenBack = execution.checkpoint("dmabuf.departure.taken-back");
    }
}
