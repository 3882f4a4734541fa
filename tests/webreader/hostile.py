"""A book that tries everything: each part that would run calls `pwned`, each that would load asks evil.example.

`beacon(origin)` replaces that host by a server of the test's own, so that it can count the requests.
"""

# ruff: noqa: E501
import io
import zipfile

EVIL = "http://evil.example"

PAGE = b"""<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet href="http://evil.example/pi.css" type="text/css"?>
<!DOCTYPE html [ <!ENTITY own "own entity"> ]>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xmlns:svg="http://www.w3.org/2000/svg">
<head>
  <title>Hostile</title>
  <base href="http://evil.example/base/"/>
  <meta http-equiv="refresh" content="0;url=http://evil.example/refresh"/>
  <meta http-equiv="Content-Security-Policy" content="default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"/>
  <link rel="stylesheet" href="http://evil.example/link.css"/>
  <link rel="stylesheet" href="../style/local.css"/>
  <link rel="preload" as="image" href="http://evil.example/preload.png"/>
  <link rel="dns-prefetch" href="http://evil.example/"/>
  <link rel="icon" href="http://evil.example/icon.png"/>
  <script>top.pwned('inline')</script>
  <script src="http://evil.example/remote.js"></script>
  <script src="evil.js" type="module"></script>
  <script src="/books/ENTRY/evil.js"></script>
  <style>@import "http://evil.example/import.css"; @import url(//evil.example/import2.css);
    p { background: url(http://evil.example/background.png) } @font-face { font-family: x; src: u\\72l("http://evil.example/f.woff") }
    q { background: image-set("http://evil.example/set.png" 1x) }</style>
  <style>@import <b/> "http://evil.example/split.css";</style>
</head>
<body onload="top.pwned('onload')" background="http://evil.example/body.png">
  <p id="first" onclick="top.pwned('onclick')" style="background: url('http://evil.example/style.png')">before-text</p>
  <!-- a comment <script>top.pwned('comment')</script> -->
  <p>one<?php evil ?>two &own; <![CDATA[<script>top.inert</script>]]></p>
  <img src="http://evil.example/img.png" onerror="top.pwned('onerror')" alt="picture"/>
  <img src="missing.png" onerror="top.pwned('onerror-local')" alt="missing"/>
  <img srcset="http://evil.example/srcset.png 1x" alt="set"/>
  <picture><source srcset="http://evil.example/picture.png"/><img src="../images/a.png" alt="local" name="body"/></picture>
  <iframe src="http://evil.example/frame.html"></iframe>
  <iframe srcdoc="&lt;script&gt;top.pwned('srcdoc')&lt;/script&gt;"></iframe>
  <iframe src="javascript:top.pwned('frame')"></iframe>
  <object data="http://evil.example/object.svg" type="image/svg+xml"><p>inside-object-text</p></object>
  <object data="data:text/html,&lt;script&gt;top.pwned('object')&lt;/script&gt;"></object>
  <embed src="http://evil.example/embed.swf"/>
  <form action="http://evil.example/form"><p>inside-form-text</p><input type="image" src="http://evil.example/input.png"/>
    <button formaction="javascript:top.pwned('form')" autofocus="" onfocus="top.pwned('focus')">go</button></form>
  <noscript><p>inside-noscript-text</p></noscript>
  <template><script>top.pwned('template')</script><p>in template</p></template>
  <video src="http://evil.example/video.mp4" poster="http://evil.example/poster.png" autoplay=""><source src="http://evil.example/v.webm"/></video>
  <audio src="http://evil.example/audio.mp3" autoplay=""></audio>
  <a id="l1" href="javascript:top.pwned('link')">a link</a>
  <a id="l2" href=" java&#10;script:top.pwned('link2')">another</a>
  <a id="l3" href="data:text/html,&lt;script&gt;top.pwned('data')&lt;/script&gt;">a third</a>
  <a id="l4" href="http://evil.example/page" ping="http://evil.example/ping" target="_top">outside</a>
  <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="top.pwned('svg')">
    <script>top.pwned('svg-script')</script>
    <script xlink:href="http://evil.example/svg.js"/>
    <a xlink:href="javascript:top.pwned('svg-link')"><text>svg link</text></a>
    <a><set attributeName="href" to="javascript:top.pwned('set')"/><animate attributeName="xlink:href" values="javascript:top.pwned('animate')"/></a>
    <image xlink:href="http://evil.example/image.png"/>
    <use href="http://evil.example/use.svg#x"/><use href="data:image/svg+xml,&lt;svg onload='top.pwned()'/>#x"/>
    <rect fill="url(http://evil.example/fill.svg#g)" filter="u\\72l(http://evil.example/filter.svg#f)" width="1" height="1"/>
    <feImage href="http://evil.example/fe.png"/>
    <foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:top.pwned('foreign')"/></foreignObject>
  </svg>
  <math xmlns="http://www.w3.org/1998/Math/MathML"><maction href="javascript:top.pwned('math')"><mi>x</mi></maction></math>
  <svg:svg><svg:script>top.pwned('prefixed')</svg:script></svg:svg>
  <details><summary>more</summary><p>after-text</p></details>
  <p style="-moz-binding: url(http://evil.example/xbl); behavior: url(http://evil.example/htc)">last</p>
</body>
</html>
"""

PICTURE = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="pwned()">
  <script>pwned()</script><image xlink:href="http://evil.example/in-picture.png"/>
  <style>@import url(http://evil.example/in-picture.css);</style><rect width="9" height="9"/></svg>"""

SHEET = b"""@charset "utf-8"; @namespace epub "http://www.idpf.org/2007/ops";
@import url("http://evil.example/sheet.css"); @import "//evil.example/sheet2.css" screen;
@import url(more.css);
p { background: url(paper.png), url("http://evil.example/sheet.png") }
[epub|type~="x"] { background: URL( 'https://evil.example/upper.png' ) }
@font-face { font-family: f; src: url(http://evil.example/f.woff2) format("woff2"), local("x") }
"""

OPF = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:bookwake:hostile</dc:identifier>
<dc:title>&lt;img src=x onerror=top.pwned('title')&gt; Hostile</dc:title><dc:language>en</dc:language></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="ch1" href="text/ch1.xhtml" media-type="application/xhtml+xml" properties="scripted"/>
<item id="svg" href="text/page.svg" media-type="image/svg+xml"/>
<item id="ch2" href="text/ch2.xhtml" media-type="application/xhtml+xml"/>
<item id="css" href="style/local.css" media-type="text/css"/>
<item id="js" href="text/evil.js" media-type="text/javascript"/>
<item id="png" href="images/a.png" media-type="image/png"/>
</manifest>
<spine><itemref idref="ch1"/><itemref idref="svg"/><itemref idref="ch2"/></spine>
</package>"""

NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Nav</title></head><body>
<nav epub:type="toc"><ol><li><a href="text/ch1.xhtml">&lt;img src=x onerror=top.pwned('nav')&gt; One</a></li>
<li><a href="text/page.svg">Picture</a></li><li><a href="text/ch2.xhtml">Two</a></li></ol></nav></body></html>"""

CHAPTER = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Two</title>
<link rel="stylesheet" href="../style/local.css"/></head><body><p>A quiet chapter.</p></body></html>"""

CONTAINER = """<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def epub(origin: str = EVIL) -> bytes:
    """The hostile book as a file; what it loads is asked from `origin`."""
    parts = {
        "META-INF/container.xml": CONTAINER.encode(),
        "book.opf": OPF.encode(),
        "nav.xhtml": NAV.encode(),
        "text/ch1.xhtml": PAGE,
        "text/page.svg": PICTURE,
        "text/ch2.xhtml": CHAPTER.encode(),
        "text/evil.js": b"top.pwned('entry')",
        "style/local.css": SHEET,
        "images/a.png": PNG,
    }
    host = origin.split("://")[1].encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", compress_type=zipfile.ZIP_STORED)
        for name, data in parts.items():
            archive.writestr(name, data.replace(b"evil.example", host))
    return buffer.getvalue()
