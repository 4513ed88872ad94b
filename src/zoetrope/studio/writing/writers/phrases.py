"""What the template writer puts together: frames with gaps, and short pieces for each gap.

Pieces are of one to three words on purpose: a phrase of three words then spans two pieces, and hardly comes twice.
"""

from collections.abc import Mapping

from zoetrope.studio.personas.models import Tone


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(" ".join(piece.split()) for piece in text.split("|"))


FRAMES = (
    "{did} {seen} {how} {when}.",
    "{things} {bring} {good}, {aside}.",
    "{this} {one} {came}, {so} {then}.",
    "{would} {walk} {until} {with}.",
    "{list}: {item}, {item}, {item}.",
    "{list}: {item}, {item} and {item}.",
    "{if} {plans} {change}, {mostly} {keep}.",
    "{less}, {more}, {same} {still}.",
    "{somebody} {said} {wisdom} {where}.",
    "{took} {tries} {plus}, {after}.",
)
"""Sentences that go with any picture."""

GAPS: Mapping[str, tuple[str, ...]] = {
    "did": _pieces(
        "noticed | found | kept | followed | counted | sketched | chased | remembered | collected | discovered | "
        "admired | mapped | befriended | circled"
    ),
    "seen": _pieces(
        "long shadows | quiet corners | bright windows | open doors | odd details | soft colours | familiar faces | "
        "tiny surprises | new angles | forgotten benches | crooked fences | stubborn flowers | paper lanterns | "
        "painted signs | sleepy cats | low clouds"
    ),
    "how": _pieces(
        "near home | by accident | without hurry | for free | on purpose | in passing | with friends | "
        "between showers | around corners | after rain | out of habit | once more | under bridges | through fog"
    ),
    "when": _pieces(
        "this morning | before breakfast | around noon | late yesterday | at dusk | last Sunday | between errands | "
        "after lunch | before sunrise | midway home | earlier today | on Tuesday | past midnight | all week"
    ),
    "things": _pieces(
        "slow days | long walks | early hours | rainy afternoons | empty streets | shared meals | quiet rooms | "
        "small plans | bad maps | good shoes | old notebooks | late trains | open windows | spare minutes"
    ),
    "bring": _pieces(
        "often bring | quietly reward | usually leave | gently teach | rarely spoil | sometimes hide | mostly give | "
        "always carry | slowly build | clearly deserve | easily invite | seldom waste"
    ),
    "good": _pieces(
        "better questions | honest answers | fresh starts | steady hands | clear heads | softer moods | new stories | "
        "real focus | simple joy | kind surprises | warm memories | useful doubts | brave ideas"
    ),
    "aside": _pieces(
        "I think | it turns out | in my book | no doubt | year after year | give or take | day by day | I believe | "
        "if anything | more or less | as usual | somehow | I suspect | by now"
    ),
    "this": _pieces(
        "the best | my favourite | the quietest | one lucky | an ordinary | the smallest | another late | that early | "
        "every simple | a crooked | the slowest | some hidden"
    ),
    "one": _pieces(
        "corner today | hour outdoors | walk home | cup yet | idea so far | detail here | minute alone | "
        "page written | turn taken | view around | path uphill | seat outside"
    ),
    "came": _pieces(
        "came late | needed patience | cost nothing | arrived unplanned | felt earned | stayed with me | "
        "changed everything | took practice | looked different | asked little | made sense | paid off"
    ),
    "so": _pieces(
        "and still | yet honestly | so naturally | and somehow | but suddenly | so quietly | and finally | "
        "and afterwards | and yes | so again | but luckily"
    ),
    "then": _pieces(
        "I smiled | I stayed | it counted | it fits | we listened | I waited | nothing hurt | everything slowed | "
        "time stretched | it worked | we laughed | nobody minded | people noticed | that helped"
    ),
    "would": _pieces(
        "I'd rather | I could | I might | I'll probably | I want to | I plan to | I'd happily | I'll gladly | "
        "I should | I may | I'll soon | let me"
    ),
    "walk": _pieces(
        "walk further | wait longer | look twice | start smaller | move slower | stay curious | read outside | "
        "draw daily | arrive early | leave later | listen closely | wander freely | rest properly | notice more"
    ),
    "until": _pieces(
        "before deciding | without reasons | despite rain | until sunset | between meals | after breakfast | "
        "instead of scrolling | while others rush | through winter | beyond Friday | without applause | "
        "despite deadlines"
    ),
    "with": _pieces(
        "and smile | and breathe | any day | every week | this month | with tea | on foot | by myself | in company | "
        "for once | with music | no matter what"
    ),
    "list": _pieces(
        "today's list | this week | my notes | the plan | small wins | pocket inventory | weekend forecast | "
        "honest review | field report | mental weather | daily balance | progress report"
    ),
    "item": _pieces(
        "warm socks | cold coffee | wild ideas | clean paper | borrowed books | fresh bread | late emails | "
        "muddy boots | soft rain | loud birds | lost keys | sharp pencils | ripe pears | empty pockets | tall grass | "
        "old jokes | slow songs | blue hours | tired feet | good soup | spare change | torn maps | ginger tea | "
        "loose leaves | bold plans | quiet neighbours | sunlit stairs | chipped mugs | folded letters | wet umbrellas"
    ),
    "if": ("when", "if", "once", "while", "until", "whenever", "after", "before", "as", "because"),
    "plans": ("plans", "doubts", "trains", "clouds", "friends", "lamps", "pages", "streets", "shadows", "mornings"),
    "change": ("change", "return", "arrive", "gather", "vanish", "linger", "multiply", "surprise me", "wait", "shift"),
    "mostly": _pieces(
        "usually I | mostly I | quietly I | often I | gladly I | somehow I | sometimes I | still I | now I | then I | "
        "first I | secretly I"
    ),
    "keep": _pieces(
        "keep walking | start over | take notes | breathe out | make tea | look up | hum along | slow down | "
        "open windows | call home | draw circles | turn back | sit still | laugh first | wait outside | change seats"
    ),
    "less": _pieces(
        "less noise | fewer tabs | fewer plans | less hurry | fewer filters | less doubt | fewer alarms | "
        "less waiting | fewer excuses | less clutter | fewer lists | less shouting"
    ),
    "more": _pieces(
        "bigger sky | extra soup | slow music | warm light | odd detours | clean lines | real laughter | deep rest | "
        "good company | louder birds | finer texture | longer lunches"
    ),
    "same": _pieces(
        "same street | usual chair | old coat | open window | known route | chipped mug | faded bench | cold season | "
        "thick notebook | plain bread | tiny kitchen | borrowed umbrella"
    ),
    "still": _pieces(
        "as always | this time | every day | for now | once again | until spring | since Monday | by choice | "
        "till evening | after work | without fail"
    ),
    "somebody": _pieces(
        "somebody | a neighbour | my friend | an old teacher | the baker | a stranger | my sister | the postman | "
        "our gardener | a child | the librarian | my grandmother"
    ),
    "said": _pieces(
        "once said | told me | likes saying | wrote down | believes | whispered | insists | taught me | swears | "
        "mentioned | keeps repeating"
    ),
    "wisdom": _pieces(
        "patience grows | colours settle | silence helps | small steps last | light forgives | good things wait | "
        "kindness travels | habits shape days | rest counts | mistakes teach | details matter | walks heal"
    ),
    "where": _pieces(
        "with practice | in time | after dark | over years | near water | at home | on weekends | without effort | "
        "through seasons | in kitchens | by degrees | under trees"
    ),
    "took": _pieces("it took | it wanted | today took | the week needed | everything needs | the scene needs"),
    "tries": _pieces(
        "two tries | three cups | one detour | five minutes | ten steps | some courage | little money | "
        "much patience | seven drafts | half an hour | four layers | no rehearsal"
    ),
    "plus": _pieces(
        "and luck | and rain | and trust | and silence | plus music | plus snacks | and time | plus daylight | "
        "and nerve | and warmth"
    ),
    "after": _pieces(
        "nothing else | nothing more | that's all | in the end | roughly | at least | so far | to be fair | "
        "if I'm honest | as it happens | thankfully"
    ),
    "look": _pieces(
        "look closely | in frame | today's scene | what you see | pictured here | on view | right there | "
        "the setting | front row | first glance"
    ),
    "scene": _pieces(
        "and me | a small world | just enough | one quiet scene | in good company | without much fuss | "
        "which is plenty | its own mood | and breathing room | nothing louder"
    ),
    "under": _pieces(
        "filed under | back to | a page for | still about | more of | always | some | a little | a note on | "
        "happily about | room for"
    ),
    "about": _pieces(
        "more on | thinking about | notes on | still learning | always time for | reading about | dreaming of | "
        "a word on | never without | happy with | curious about | lost in"
    ),
    "because": _pieces(
        "with new eyes | one step closer | without the rush | because it matters | before anything else | "
        "at my pace | and no regrets | as promised | the long way | like old times | slowly but surely | "
        "for good measure"
    ),
    "feeling": _pieces(
        "keeping it | staying | feeling | leaning | trying to stay | proudly | quietly | still | forever | mostly"
    ),
    "lately": _pieces("today | as ever | by default | this week | on purpose | at heart | lately | out loud | again"),
    "ask": _pieces("would you | could you | do you | can you | will you | might you | should we | could we"),
    "do": _pieces(
        "stay longer | choose differently | begin earlier | walk further | wait outside | sit quietly | look twice | "
        "start over | come along | slow down | keep it"
    ),
    "there": _pieces(
        "here | tomorrow | instead | with me | if asked | or leave | too | on Monday | in the rain | again"
    ),
}

QUESTION = "{ask} {do} {there}?"
SHOWN = "{look}: {shown}, {scene}."
PILLAR = "{under} {pillar}, {because}."
TOPIC = "{about} {topic}, {because}."
ATTRIBUTE = "{feeling} {attribute} {lately}."

# How each tone begins and ends: one piece of either side.
OPENERS: Mapping[Tone, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Tone.casual: (
        _pieces(
            "hey you | okay then | so anyway | well hello | real talk | quick note | fun fact | hi there | oh well"
        ),
        _pieces(
            "coffee first | same chaos | small update | this happened | look here | mood today | minor victory | "
            "nothing fancy | still me"
        ),
    ),
    Tone.professional: (
        _pieces(
            "a short update | from the desk | work notes | behind the scenes | one observation | in brief | "
            "on process | a working day | for the record"
        ),
        _pieces(
            "steady progress | careful choices | clear intent | lessons learned | quality first | calm execution | "
            "honest craft | useful constraints | measured steps"
        ),
    ),
    Tone.playful: (
        _pieces(
            "guess what | psst | plot twist | breaking news | confession time | tiny alert | roll call | "
            "secret mission | surprise"
        ),
        _pieces(
            "giggles ahead | snacks included | socks optional | mischief pending | rules bent | tiny parade | "
            "silly walk | zero regrets | sparkles everywhere"
        ),
    ),
    Tone.inspirational: (
        _pieces(
            "keep going | one step | believe this | look closer | trust slowly | begin again | stand tall | "
            "breathe deep | hold on"
        ),
        _pieces(
            "light returns | effort adds up | courage grows | your pace counts | hope is practical | "
            "mornings forgive | roots hold | small is enough | doors open"
        ),
    ),
    Tone.edgy: (
        _pieces(
            "unpopular opinion | no filter | hot take | raw cut | late shift | bare truth | loud thought | "
            "sharp edges | fair warning"
        ),
        _pieces(
            "comfort lies | rules crack | noise wins nothing | pretty is boring | shadows work harder | "
            "neon never sleeps | soft hits back | grit stays | polish fades"
        ),
    ),
}
CLOSERS: Mapping[Tone, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Tone.casual: (
        _pieces("see you | more soon | that's it | anyway | right then | over here | well | good enough | until later"),
        _pieces("take care | be kind | stay warm | eat something | sleep well | bring snacks | wave back | go easy"),
    ),
    Tone.professional: (
        _pieces("next up | in short | to conclude | going forward | on balance | for now | in summary | as planned"),
        _pieces("more detail soon | one clear goal | work continues | the rest follows | good habits win | we refine"),
    ),
    Tone.playful: (
        _pieces("the end | ta da | curtain | high five | snack break | case closed | final score | off I go"),
        _pieces("bow included | cape on | giggle twice | nap next | confetti later | encore maybe | paws up | wiggle"),
    ),
    Tone.inspirational: (
        _pieces("so begin | for you | from here | take heart | rise gently | day by day | stay open | carry on"),
        _pieces("you are ready | it adds up | the path holds | light comes back | trust your hands | try once more"),
    ),
    Tone.edgy: (
        _pieces("end of story | lights out | take it | no encore | mic down | stay loud | deal with it | cut"),
        _pieces(
            "no apologies | next question | sleep later | keep up | break something | mean it | own it | burn slow"
        ),
    ),
}
EMOJI: Mapping[Tone, tuple[str, ...]] = {
    Tone.casual: ("☕", "🙂", "🌿", "🍂", "🧦", "🌤️", "🎧", "🍞", "📎", "🚲"),
    Tone.professional: ("📌", "🗂️", "🧭", "✏️", "📐", "🔍", "🧩", "📈", "🖇️", "📝"),
    Tone.playful: ("🎈", "🦊", "🍭", "🎉", "🐌", "🪁", "🍓", "🤹", "🦆", "🧃"),
    Tone.inspirational: ("✨", "🌱", "🌅", "🕊️", "🌻", "🪴", "🌊", "🔆", "🏔️", "🫶"),
    Tone.edgy: ("🖤", "⚡", "🔥", "🌑", "🎸", "🕶️", "🧨", "🩶", "🦂", "🌃"),
}
