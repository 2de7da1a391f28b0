"""Every page of a board, as guests, members and moderators see it, also with what is refused in its forms."""

from tests.support.boards import invite, make_board, post_on, promote
from tests.support.people import PASSWORD, Person

NAMES = {"title": "Zzq", "first_board": "Zzw"}
"""All that people call something in these pages has no vowel, so that no word of ours looks like it."""
PROVIDER = {"facebook_app_id": "1234567890", "facebook_app_secret": "0123456789abcdef0123456789abcdef"}


class AllPages:
    """A site with something of everything. `settings` are those of the server besides."""

    def __init__(self, start, **settings):
        self.server = server = start(**{**NAMES, **PROVIDER, "embed_from": "https://blog.example.org", **settings})
        self.owner = promote(server, Person(server, "zz_wnr", name="Zwn Zr"))
        self.member = Person(server, "zz_mmbr", name="Zmm Zbr")
        self.fill()
        self.clients = {
            "guest": server.open(),
            "member": self.member.browser(),
            "moderator": self.owner.browser(),
        }

    def fill(self):
        server, owner, member = self.server, self.owner, self.member
        for slug, more in {"zzb": {"about": "Zbt", "rules": "Zrls"}, "zzm": {"read_by": "members"}}.items():
            make_board(owner, f"Z{slug}", slug, **more)
        self.hidden = make_board(owner, "Zhd", read_by="invited")
        self.own = make_board(owner, "Zrc", "zzr")
        invite(owner, self.hidden, member.username)
        post_on(owner.api, self.hidden, "zhd")
        self.first = server.post("zfrst", guest_name="Zgst").json()["id"]
        self.by_owner = owner.post("zwn")["id"]
        self.by_member = member.post(f"@{owner.username} zmm")["id"]
        self.reply = owner.api.post("/api/v1/messages", json={"body": "zrpl", "reply_to": self.by_member}).json()["id"]
        self.on_board = post_on(member.api, "zzb", "zbb")["id"]
        deleted = member.post("zdl")["id"]
        self.of_deleted = owner.api.post("/api/v1/messages", json={"body": "zrd", "reply_to": deleted}).json()["id"]
        member.api.delete(f"/api/v1/messages/{deleted}")
        member.api.patch(f"/api/v1/messages/{self.by_member}", json={"body": f"@{owner.username} zmd"})
        for kind in ("heart", "thumbs_up"):
            owner.api.put(f"/api/v1/messages/{self.first}/reactions/{kind}")
        member.api.put(f"/api/v1/messages/{self.first}/reactions/heart")
        owner.api.put(f"/api/v1/messages/{self.by_owner}/pin")
        for number in range(3):
            member.api.post("/api/v1/tokens", json={"name": f"zbt{number}", "password": PASSWORD})
        for slug in ("zzb", "zzr", "first"):
            made = owner.api.post(f"/api/v1/boards/{slug}/hooks", json={"name": "Zhk"}).json()
            assert server.client.post(made["url"], content=b"zhk").content == b"ok"
        self.hook_of_archived = owner.api.get("/api/v1/boards/zzr/hooks").json()["hooks"][0]["id"]
        owner.api.patch("/api/v1/boards/zzr", json={"archived": True})
        server.post("zwrong")
        self.moderate()

    def moderate(self):
        """Leaves an entry of each kind in the audit log."""
        browser, someone = self.owner.browser(), Person(self.server, "zz_thr", name="Zth")
        message = someone.post("zthr")["id"]
        guest = self.server.post("zgn").json()["id"]
        for act in ("suspend", "unsuspend"):
            browser.post(f"/m/{message}/moderate", data={"act": act})
        browser.post(f"/m/{message}/moderate", data={"act": "suspend"})
        self.by_suspended = message
        browser.post(f"/m/{guest}/delete")
        self.owner.api.put(f"/api/v1/messages/{self.first}/pin")
        self.owner.api.delete(f"/api/v1/messages/{self.first}/pin")
        self.owner.api.put(f"/api/v1/messages/{self.by_owner}/pin")
        for change in ({"archived": True}, {"archived": False}, {"read_by": "everyone"}, {"read_by": "members"}):
            self.owner.api.patch("/api/v1/boards/zzm", json=change)
        self.owner.api.put("/api/v1/boards/zzm", json={})
        hooks = "/api/v1/boards/zzm/hooks"
        made = self.owner.api.post(hooks, json={"name": "Zhm"}).json()
        self.owner.api.patch(f"{hooks}/{made['id']}", json={"name": "Zhn"})
        self.owner.api.patch(f"{hooks}/{made['id']}", json={"new_secret": True})
        self.owner.api.delete(f"{hooks}/{made['id']}")
        hook = self.owner.api.post("/api/v1/boards/zzb/webhooks", json={"url": "https://zzh.zz/"}).json()["id"]
        self.webhook = f"/b/zzb/webhooks/{hook}"
        for act in ("pause", "resume", "secret"):
            browser.post(self.webhook, data={"act": act})
        for n in range(2):  # of the same host, on its page
            self.owner.api.post("/api/v1/boards/zzb/webhooks", json={"url": f"https://zzh.zz/{n}", "shape": "slack"})
        self.owner.api.delete(f"/api/v1/boards/{self.hidden}/members/zz_thr")

    def paths(self):
        """What is asked with GET, by everybody. Where a route has a name in it, there is one of each kind."""
        ids = (self.first, self.by_owner, self.by_member, self.reply, self.of_deleted, self.by_suspended, 999_999)
        slugs = ("zzb", "zzm", "zzr", self.hidden, "zzn")
        boards = [f"/b/{slug}/{page}" for slug in slugs for page in ("", "add", "search?q=z", "settings")]
        done = ("name", "username", "password", "revoke", "everywhere", "unlink")
        return [
            *("/", "/add", "/boards", "/boards/new", "/signup", "/signup?invite=zz", "/signup?owner"),
            *("/signin", "/signout", "/password", "/account", "/privacy", "/api", "/audit", "/zzn"),
            *(f"/?before={self.reply}", f"/?after={self.first}", "/?before=1", "/?after=999999", "/?before=z"),
            *("/search", "/search?q=z", "/search?q=zzzn", '/search?q="z z" q', "/search?q=!!!", "/search?q=z&before=1"),
            *("/search?q=z&board=*", "/search?q=from:zz_nn", "/search?q=before:z", f"/search?q={'z' * 300}"),
            *(f"/m/{id}" for id in ids),
            f"/m/{self.on_board}",
            *boards,
            *("/embed", "/embed?theme=z", "/b/zzb/embed", "/b/zzr/embed", "/b/zzn/embed"),
            *(f"/m/{id}/embed" for id in (self.reply, 999_999)),
            *(f"/b/zzb/settings?done={what}" for what in ("setup", "archive", "unarchive", "uninvite")),
            *(f"/b/zzb/webhooks{query}" for query in ("", "?done=pause", "?done=resume", "?done=change", "?done=remove")),
            "/b/first/webhooks",
            f"/b/{self.hidden}/settings?done=invite&who={self.member.username}&had=zz_wnr",
            f"/b/{self.hidden}/settings?done=uninvite",
            *(f"/b/{slug}/hooks" for slug in ("first", "zzb", "zzr", "zzn", self.hidden)),
            *(f"/b/zzb/hooks?done={what}" for what in ("save", "test", "revoke")),
            "/b/zzb/hooks/1",
            *(f"/boards?done={what}" for what in ("delete", "leave", "owner", "setup")),
            *(f"/account?done={what}&provider=facebook" for what in done),
            *("/signout?deleted=account", "/signout?deleted=all", "/facebook/start", "/facebook/callback", "/facebook/link"),
            *("/facebook/welcome", "/facebook/deletion?code=z", "/account/name", "/account/feeds", "/account/everywhere", "/account/download"),
            *("/facebook/continue", "/facebook/switch", "/account/facebook/seen", "/li", "/lo", "/api/", "/b/zzb"),
        ]  # fmt: skip

    def forms(self):
        """What is posted, and refused, by everybody."""
        board, message = f"/b/{self.hidden}/", f"/m/{self.by_member}/"
        fields = {"name": "Z", "about": "z", "rules": "z", "slug": "zzq", "read_by": "everyone", "write_by": "guests"}
        return [
            ("/add", {"s": ""}),
            ("/add", {"s": "z" * 5000}),
            ("/add", {"s": "z", "guest_name": "Guest"}),
            ("/add", {"s": "z", "as": "zz_nn"}),
            ("/add", {"s": "z", "reply_to": "999999", "key": "k" * 22}),
            ("/add", {}),
            ("/embed", {"s": "z" * 5000}),
            ("/b/zzr/embed", {"s": "z"}),
            ("/b/zzr/add", {"s": "z"}),
            (f"{message}edit", {"s": ""}),
            (f"{message}edit", {"s": "z", "began_from": "2020-01-01T00:00:00.000Z"}),
            ("/m/999999/edit", {"s": "z"}),
            (f"{message}react", {}),
            (f"{message}react", {"add": "zz"}),
            (f"{message}moderate", {"act": "z"}),
            (f"/m/{self.first}/moderate", {"act": "suspend"}),
            (f"/m/{self.reply}/moderate", {"act": "suspend"}),
            ("/signin", {"username": "zz_nn", "password": "z"}),
            ("/signin", {}),
            ("/signup", {"username": "z z", "password": PASSWORD}),
            ("/signup", {"username": "zz_wnr", "password": PASSWORD}),
            ("/signup", {"username": "zz_new", "password": "short"}),
            ("/signup", {"username": "zz_new", "password": "zz_new12"}),
            ("/signup", {"username": "zz_new", "password": "password"}),
            ("/signup", {"username": "zz_new", "password": PASSWORD, "name": "Moderator"}),
            ("/signup", {"username": "zz_new", "password": PASSWORD, "name": "z" * 200}),
            ("/signup", {"username": "zz_new", "password": PASSWORD, "invite": "z"}),
            ("/password", {"link": "zz", "password": PASSWORD}),
            ("/account/name", {"name": ""}),
            ("/account/password", {"password": "wrong", "new": "z"}),
            ("/account/password", {"password": PASSWORD, "new": "z"}),
            ("/account/tokens", {"name": "", "password": PASSWORD}),
            ("/account/feeds", {"board": "zzm", "password": "wrong"}),
            ("/account/feeds", {"board": "zzb", "password": PASSWORD}),
            ("/account/feeds", {"board": "zzm", "password": PASSWORD}),
            ("/account/tokens", {"name": "z", "password": "wrong"}),
            ("/account/tokens", {"name": "zbtn", "password": PASSWORD}),
            ("/account/delete", {"password": "wrong"}),
            ("/account/facebook/link", {"password": "wrong"}),
            ("/account/facebook/unlink", {"password": PASSWORD}),
            ("/boards/new", fields | {"name": ""}),
            ("/boards/new", fields | {"slug": "zzb"}),
            ("/boards/new", fields | {"slug": "!"}),
            ("/boards/new", fields | {"about": "z" * 300}),
            ("/boards/new", fields | {"rules": "z" * 3000}),
            ("/boards/new", fields | {"read_by": "invited", "invite": "@zz_nn, @zz_nm, Zmm"}),
            (f"{board}settings", fields),
            (f"{board}settings", fields | {"began_from": "1"}),
            ("/b/zzb/settings", fields | {"read_by": "invited"}),
            ("/b/zzb/hooks", {"name": ""}),
            ("/b/zzb/hooks", {"name": "Zhp"}),
            ("/b/zzb/hooks/1", {"act": "save", "name": "Moderator"}),
            ("/b/zzb/hooks/999", {"act": "revoke"}),
            (f"/b/zzr/hooks/{self.hook_of_archived}", {"act": "test"}),
            (f"{board}invite", {"username": "@zz_nn"}),
            (f"{board}invite", {"username": "@zz_wnr"}),
            (f"{board}uninvite", {"username": "zz_nn"}),
            (f"{board}owner", {"owner": "@zz_nn, @zz_mmbr"}),
            (f"{board}delete", {"name": "Z"}),
            ("/b/zzb/webhooks", {"url": "http://zzh.zz/", "shape": "slack"}),
            (self.webhook, {"act": "change", "url": "z"}),
            (self.webhook, {"act": "z"}),
            *((path, {}) for path in ("/m/999999/delete", "/m/999999/pin", "/b/zzn/archive", "/b/zzn/leave")),
            ("/account/revoke/999999", {}),
        ]  # fmt: skip

    def all(self, **headers):
        """Each answer that is a page, with who asked, and for what."""
        for who, client in self.clients.items():
            for path in self.paths():
                yield from self.page(who, path, client.get(path, headers=headers))
            for path, fields in self.forms():
                shown = " ".join(f"{name}={value[:20]}" for name, value in fields.items())
                yield from self.page(who, f"POST {path} {shown}", client.post(path, data=fields, headers=headers))

    @staticmethod
    def page(who, what, response):
        assert response.status_code < 500 or response.status_code in (502, 503), (what, response.text)
        if response.headers.get("Content-Type", "").startswith("text/html") and response.text:
            yield who, what, response
