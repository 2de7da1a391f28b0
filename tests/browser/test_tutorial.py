"""A page made by the tutorial that this board comes from: its own script, against this server."""

from playwright.async_api import expect

from tests.support.browser import BROWSER_TEST

pytestmark = BROWSER_TEST

PAGE = """<!doctype html>
<html>
    <head>
        <title>Message Board</title>
        <link rel="icon" href="data:,">
        <script src="/tutorial/conn.js"></script>
        <script src="/tutorial/main.js"></script>
    </head>
    <body onload="var d = new Date(); startConn('/get?t='+d.getTime().toString(), loadMsgs);">
        <div id="main"></div>
    </body>
</html>
"""
CONN = """
function startConn(link, callback){
    var conn = new XMLHttpRequest();
    conn.open("GET", link);
    conn.onreadystatechange = function(){
        if(conn.readyState == 4){
            var link_new = callback(eval("("+conn.responseText+")"));
            if(!link_new)
                link_new = link;

            startConn(link_new, callback);
        }
    }
    conn.send();
    return conn;
}
"""
MAIN = """
function loadMsgs(obj){
    // Format the information into html and add onto the page
    var html = "";
    for(var i=0; i<obj["msgs"].length; i++){
        var msg = obj["msgs"][i];
        var div = '<div class="msg">' +
            msg["content"] + '<br />' +
            '<div style="text-align:right;">' +
            msg["time"] + '</div></div>';
        html += div;
    }
    var old = document.getElementById("main").innerHTML;
    document.getElementById("main").innerHTML = html + old;

    // return an updated link with the current time
    var d = new Date();
    return "/get?t=" + d.getTime().toString();
}
"""


def serving(kind, body):
    async def serve(route):
        await route.fulfill(content_type=kind, body=body)  # without the board's Content-Security-Policy

    return serve


async def test_a_page_with_the_tutorials_script_follows_the_board(start, visit):
    """It shows one message after the other as they come, and what looks like HTML in them as it was typed."""
    server = start(poll_seconds=1)
    page = await visit(server, path=None)
    for path, kind, body in (
        ("/tutorial.html", "text/html", PAGE),
        ("/tutorial/conn.js", "text/javascript", CONN),
        ("/tutorial/main.js", "text/javascript", MAIN),
    ):
        await page.route(f"**{path}", serving(kind, body))
    server.post("posted before the page was open")
    await page.goto("/tutorial.html")
    async with page.expect_response("**/get?t=*") as response:  # nothing new: it asks again
        assert await (await response.value).json() == {"msgs": []}
    evil = "<script>window.harm = 1</script><img src=x onerror='window.harm = 2'> & more"
    for number, text in enumerate(("first", evil, "third"), 1):
        server.until_parked(1)
        server.post(text)
        await expect(page.locator(".msg")).to_have_count(number)
        assert (await page.locator(".msg").first.text_content()).startswith(text)
    assert await page.evaluate("window.harm") is None
    assert await page.locator(".msg img, .msg script").count() == 0
