"""The task that sends webhooks. It sleeps, and has imported nothing, until the site has one."""

from board.site import Site


async def send_webhooks(site: Site, *, to_loopback: bool, link: str) -> None:
    """Runs until cancelled."""
    while True:
        await site.webhook_news.wait()
        site.webhook_news.clear()
        from net.webhooks.delivery import Delivery
        from net.webhooks.sender import Sender

        sender = Sender(site, Delivery(to_loopback=to_loopback), link)
        try:
            await site.storage.alone(sender.run)
        finally:
            sender.delivery.close()
