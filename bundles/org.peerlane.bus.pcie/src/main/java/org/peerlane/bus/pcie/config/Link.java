package org.peerlane.bus.pcie.config;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.registers.RegisterMap;

/**
 * The link of a function: of an endpoint the one above, of a root or downstream port the one below.
 */
public final class Link extends ConfigBlock {
    private static final RegisterMap<LinkRegister> MAP =
            new RegisterMap<>(LinkRegister.class, 0x3C);

    private final int speed;
    private final int width;
    private final boolean down;

    Link(
            ConfigSpace config,
            int express,
            CapabilityLayout.Express layout,
            ExpressType type,
            @Nullable PortLayout port) {
        super(config, express);
        speed = layout.linkSpeed();
        width = layout.linkWidth();
        down = type.leadsDown();
        define(MAP);
        preset(LinkRegister.LNKCAP, LinkRegister.MAX_SPEED, speed);
        preset(LinkRegister.LNKCAP, LinkRegister.MAX_WIDTH, width);
        preset(LinkRegister.LNKCAP2, LinkRegister.SPEEDS, (1 << speed) - 1);
        preset(LinkRegister.LNKCTL2, LinkRegister.TARGET_SPEED, speed);
        if (port != null) {
            preset(LinkRegister.LNKCAP, LinkRegister.PORT_NUMBER, port.portNumber());
        }
        preset(LinkRegister.LNKCAP, LinkRegister.ACTIVE_REPORTING, down);
        preset(LinkRegister.LNKCAP, LinkRegister.SURPRISE_DOWN_REPORTING, down);
        keepWithLink(LinkRegister.LNKCTL, LinkRegister.EXTENDED_SYNCH);
        keepWithLink(LinkRegister.LNKCTL, LinkRegister.COMMON_CLOCK);
        keepWithLink(LinkRegister.LNKCTL, LinkRegister.DISABLE);
        keepWithLink(LinkRegister.LNKCTL, LinkRegister.READ_COMPLETION_BOUNDARY);
        keepWithLink(LinkRegister.LNKCTL, LinkRegister.ASPM);
        keepWithLink(LinkRegister.LNKCTL2, LinkRegister.TARGET_SPEED);
        if (down) {
            keepWithLink(LinkRegister.LNKSTA, LinkRegister.ACTIVE);
            keepWithLink(LinkRegister.LNKSTA, LinkRegister.WIDTH);
            keepWithLink(LinkRegister.LNKSTA, LinkRegister.SPEED);
        } else {
            limit(LinkRegister.LNKCTL, LinkRegister.DISABLE, 0);
            preset(LinkRegister.LNKSTA, LinkRegister.SPEED, speed);
            preset(LinkRegister.LNKSTA, LinkRegister.WIDTH, width);
        }
    }

    /** {@return whether the link below is up} */
    public boolean active() {
        return !down || is(LinkRegister.LNKSTA, LinkRegister.ACTIVE);
    }

    /** {@return whether software has switched the link off} */
    public boolean disabled() {
        return is(LinkRegister.LNKCTL, LinkRegister.DISABLE);
    }

    /** {@return whether the end of the link by surprise is an error to be logged (PC-68)} */
    public boolean reportsSurpriseDown() {
        return is(LinkRegister.LNKCAP, LinkRegister.SURPRISE_DOWN_REPORTING);
    }

    /**
     * The link below has come up or gone down. With a slot, use {@link Slot#link}, which tells
     * software, too.
     *
     * @return whether that is a change
     */
    public boolean active(boolean up) {
        if (!down || active() == up) {
            return false;
        }
        set(LinkRegister.LNKSTA, LinkRegister.ACTIVE, up);
        set(LinkRegister.LNKSTA, LinkRegister.SPEED, up ? speed : 0);
        set(LinkRegister.LNKSTA, LinkRegister.WIDTH, up ? width : 0);
        return true;
    }

    @Override
    int written(int dword, int lanes, int x, int before) {
        if (!down || !hit(LinkRegister.LNKCTL, dword, lanes)) {
            return 0;
        }
        boolean was = LinkRegister.DISABLE.get(of(LinkRegister.LNKCTL, before)) != 0;
        boolean retrain = LinkRegister.RETRAIN.get(of(LinkRegister.LNKCTL, x)) != 0;
        return was != disabled() || retrain ? Effect.LINK : 0;
    }
}
