// Keys and signatures that OpenSSL's command line has made, over the bytes `content` and over an in-toto statement about
// them in DSSE's form.

package enum SigningSamples {
    package static let content = Array("content".utf8)

    /// About `content`, as `file.bin`.
    package static let statement = #"""
        {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"file.bin","digest":{\#
        "sha256":"ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"}}],\#
        "predicateType":"https://slsa.dev/provenance/v1","predicate":{"builder":"test"}}
        """#

    package static let keys: [String: String] = [
        "ed": """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAqoLKqbtt6RzQEqrlq/L8eDFWzkspD5h9IX6jquH2Mw0=
        -----END PUBLIC KEY-----
        """,
        "p256": """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdpu3T/n7ILI1AYmq31bh0NVk0pTC
        njV1cCmDSyHJENHuLyqkCWWkblYmglUISK3gmq+8prV3QJhSAaHszantkQ==
        -----END PUBLIC KEY-----
        """,
        "p384": """
        -----BEGIN PUBLIC KEY-----
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAElyu+GGXrntV8cXlInVAyGBIxWyUunQLB
        Dji4zltro3P5lcRh8E38IPMdwGUUrSu/W729DCjVQAhXWNSKqSZrVi1XdRAvGUIc
        qtrKKt/KW70k/yHiIpBFSUWQO4hFzZBx
        -----END PUBLIC KEY-----
        """,
        "rsa": """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvc+IaXpg0zo1xxz0DkCS
        SxYgwBXdwWIlC9gRmuV36B0CQXQqU7JZMWOPIdsVilyXZOC7Xa2FY9jVXvwiMwKU
        sluSnBR82lL/hKRYnW0ZJomyfttOIuFw3qeF7L55F9yjbYivIbJPx/vsyV9sqzJd
        C8ai+Pzb/OSiWf/aZzsEHZH3VI/xzcWptylgbwgqpvlRq2xZZlkzDHTDKNpdPOGe
        5A7oUxk3LQ0kA/GK52EP5kx0pJ+7ZAfSNNgTyKXaD5pVGgPW2Z9QPC67V12n9SO4
        ym7BZfmY1H+84EkVqbD8/MKOpjsc/RWn/FEvyCvZ3h3MGwYaiOhvj0GJK6CxHjwS
        bQIDAQAB
        -----END PUBLIC KEY-----
        """,
        "rsa1024": """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDQSnzVNceQApQvgMJGQMz5JY1N
        6Q2UG5tn+uqDs+RNMtvB4LJuR4vfUKEpN5vuaSZ58OrRXosGgY+6M5R3JidZAbbD
        xTk1aovbTPBDvHpeB3iSfEdkaJY5ONBrfDsM/z9KnH1aE0MQeizc+W+2fc8Vivur
        I2mSFL0W65e8kkgCvQIDAQAB
        -----END PUBLIC KEY-----
        """,
        "k1": """
        -----BEGIN PUBLIC KEY-----
        MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEf6wN7ol3IO13Nzk4ZJMGvORr/Gat51Sp
        2+MgtQhP3XdrAV3IRigBVcoIF0vmyHbV+sogiRL2+YlSTW7tJ6Sm/A==
        -----END PUBLIC KEY-----
        """,
        "x": """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VuAyEAZO+WYgU2q+RByHe2+IarixuHfU7dyUCnCchSIplu5ns=
        -----END PUBLIC KEY-----
        """,
    ]

    /// Of `content`, in Base64: scheme, key, signature.
    package static let ofContent: [(scheme: String, key: String, signature: String)] = [
        (
            "ed", "ed",
            "ibQnt+rkcHqqDgCJ31dFNmW/rHmeNbMrjScf18NJNQuqofP5aML8MKhsDPYhqvBoGiVEEIPbhzrYJRvIk2htDg=="
        ),
        (
            "p256", "p256",
            "MEYCIQDPCkUZg1pgSUhWVUVreJcM86Qu48bb84iVwkr/ZpqjOwIhAN85ClAWt+fklPMGjt7WZzpp5VYAWG3aLBhhvit9CDUt"
        ),
        (
            "p256row", "p256",
            "zwpFGYNaYElIVlVFa3iXDPOkLuPG2/OIlcJK/2aaozvfOQpQFrfn5JTzBo7e1mc6aeVWAFht2iwYYb4rfQg1LQ=="
        ),
        (
            "p384", "p384",
            "MGUCMApoWBcpJpUZczpy5zbv4h++O62ivvL0xRFrdmOOkfg8sV//LV9subf806aL9Uw+sgIxAM94XQFXm90PWtuGU/2+RokR"
                + "bHqcX7PR4zkvWtyQxpn2iuwoWvHVNt0XgeWcKe7YqQ=="
        ),
        (
            "p384-256", "p384",
            "MGUCMQDiwhqPcr7hwbqO/nKql2xXVh44GM51XzbIhMXfTubMOQHImUMxs9Rxhg7zuyLlDEcCMBZJ0P06U5E8eKZmpq6ExCC7"
                + "z65ugKisOFHzp4qbEPZU/bPbdhNHi14YdFS3ZPh5Aw=="
        ),
        (
            "rsa", "rsa",
            "Q7Qgr33F0zNZxsAK/wkefk1wdCnPdF0ChNVKNicIovrAMAvu7S9gRK54qEvS7mLWFaxRKtQAMtn/Ikyhoz20P1ULyHDs1MOr"
                + "QP4c2mhg3E2iLzmnTxazMSPPAZe5ZDr375hppWt0wO4C6pTW5s6KXBRG7H97Yd+u14fo36s4V2WFTdmvVizeIKRLMplMK+BT"
                + "S20bKfzgcmH2M0h/UTfJY9qf2ockkgoq68yAEjK8bvT99vwaNyqdoaS3hmovpWUUyT+bZfk8BQkCp4VW+Qx8iJbXiBWO/+by"
                + "la06GBmuJw8SVL7L/vcyHCzPVyZEiqXzx7ZZBwoFFSVR/e3UX+fPjQ=="
        ),
        (
            "rsa512", "rsa",
            "t+FUQmFGL8YaUQgnKIM/cFMS7xOcs+/4LAYh6WF0FhHxj3R7+Li7mQuFUT6LYO4TQTrD45ytwRTVyUIcJs/ASHPKiViZM9GO"
                + "IAfjBJVONG7rXa0D4UIMmnlXay67jWjZLdbv1oLkvuwZ2ArJuj7DvpgvFntpgqGgIqYRQ4ceMuizsyEjQVES/8Da7NnVHMYa"
                + "qrKzGIJ16n18RS3WrZxznrTVi7vU2olYWECgigAjsx0KQFo83vPykbMOa0PtZlqco+JVVjqpGVtHrnglnr7FuAw0uWdFMTCF"
                + "91+CW3pJKTaAP12ZR0H8bJcxyq0WAkHXaZJ3pj3XVSdGH3RLr+8wiw=="
        ),
        (
            "pss", "rsa",
            "Qkb9cGYRgwLjpgKwovRCFZvBKFr1dq0OezsIPLWYyHIxHjoVlb84731g+cygTsob5JIuSOjcAU0ORD3NvmANOqgBPytImuCd"
                + "IIdk4A9jqYhx2Ii3R17vt6UByD7Exkc8rQLgOZIndEDznrcitGXstqpecbLjT/gHZYO68jBw9RWogi6T/1I8wxFvtrCyz/8j"
                + "1E9LzaiXvK/+lZAxeIZjgHspnyGitYOv9lQSFLHAzs8HqTNjyP7G7C2xJSbXfHOQsvelCpOrRid+0JbF95BDe526ZpGVM/NM"
                + "/8pJfjHwIfomC5RFHig2XB92z89wHgdYfuvdXQtDkuQFJUqjgrq6sA=="
        ),
        (
            "pss512", "rsa",
            "t1vs2BGX6cb1DickfVQl/AkERrUEDkjYkHS8EQYultYz1gB78dM15Fr4aB2snSVXBUp5wFOfqY+0uBd7cNyUMyuOjs9jf03I"
                + "FyI6dbDTjQRmAbf9RdAAjnVIHu/H6wvPELEmRXEfiGyqL5WOjVKrsI5EfM53vnUS/Fc966rW6G686wyU54DSivHyiwpO2ZFH"
                + "Z+xEHEUKIJeHCLPHfL+pIerdfqqPk1xDW2TUtmtOa3GoD5JyOQbwiT5KA7dPL6mMR2lRnlR3bNQaFWVisyuYLnRH9MUH3IQR"
                + "TobIZMMalS8EF1DMQ/glmc82jOjpWTtyOS/s9OFsJvtkswdv5KJULA=="
        ),
    ]

    /// Of the statement in DSSE's form.
    package static let ofStatement: [(scheme: String, key: String, signature: String)] = [
        (
            "ed", "ed",
            "tHCY/2vJ5wYWch/VbWE4bfTtzd46loT7rOmJSFQJV0/l0D6r1UuLwKVv4nw0DClCfsC/JtupcaVnSRRtttAcDw=="
        ),
        (
            "p256", "p256",
            "MEUCIQDRbmhS0MfSylZksjVKvdZpUCKcsvrHBJ1LJmUVwXU1dAIgYtLjXKayxstXBdbx5iQV2ET0JSO9+j4K9+kV/v9k1Ok="
        ),
        (
            "p256row", "p256",
            "0W5oUtDH0spWZLI1Sr3WaVAinLL6xwSdSyZlFcF1NXRi0uNcprLGy1cF1vHmJBXYRPQlI736Pgr36RX+/2TU6Q=="
        ),
        (
            "p384", "p384",
            "MGYCMQDw4gnMSx0JkrZtarBtytpapiUGEKKeb5sADyRGZ+eCQ1frPyX7kaLGVmZFOAgdr1YCMQD7LmBDcytBfYy97IrrFvsB"
                + "/fZdNI98W8EE8+Mk9edx5IoEZHRP8OKHZmW7/aYSkOs="
        ),
        (
            "p384-256", "p384",
            "MGYCMQDAl64Yc2IMyGg4HwuY8Q46ipeBJsPx642YP2LUAx9SzbXm2fBBjOQ7IG0sHRS8UDgCMQCxAfCaNn8ekz5vHyZWjtwR"
                + "8iHsD7W620qZu7DubjsNyarGvVW1SkYHkNoEZkjnxrc="
        ),
        (
            "rsa", "rsa",
            "iVhRUlIiiudQMA97PoIc3dIDVPnqrNKza+iHJfQf8aMSvR9sCnVwDUVpjAswCSOcyRmbLJG0weblAF2aCy5sid6mnby4UKMl"
                + "sAHPoE/JpqutRshkNtOnSjgj+t8rjjN+A0e560KnCJVXPwyhCutsN6gMJRLF6doSAm469It5PRFNna95f8AfV3ExG+AVROqR"
                + "dA7i+8SeEPav3yyXKcsHqn/Co4eahJHuUWFMZlWWGbCYHyYkm+6mN7JVa59J6N4oyyYDuBaJE1lBIRZG1sEtWLcJJRTddz0n"
                + "SuG7MGfNrHDy8REZ+cStUtlyZ+hUozxZUOPGQ/QCXPM0g5xMlen/GA=="
        ),
        (
            "rsa512", "rsa",
            "sxxFJ9khNIGv9BKsc19X28gVR/cc1hEQ8l564/tPb0sXxdAqI9NBm2g/w+0vPi5V12LxItDbM3ikFm3CUB/YG1uTJ8zHPQAK"
                + "9Ddn5DV92thlFc0rCey8qnSZYd8CL/eXIeBJFQIxry/GHG+A4MLm2t5n+NsYccDBJOQTuC5/KIUhicBfOFzx+yfyNh3CI3nk"
                + "hWFiDl916O7qJvLy+TfFTHyI1CvAr7xiwsEsdcIbOKktL4VOYvPP7KS0WFHjHFscczC15eJIvPFgeDHOEoY+9qq/nSS1rNQP"
                + "/moaABzfCANkGUURHjlk54xShEP6YsbZPAQCN/U3z4ta3RYeCe1AkA=="
        ),
        (
            "pss", "rsa",
            "G85w5FhiFwA2BTI53XeStjIFzj+U81snPXaSLjU71MyPc0u79ykx+NH5HyJw/GzpxbqsQP9uC8tUe5nwIs6ZmRP1lffZcMlu"
                + "6rvhAEO7MsodiScYJui4B696h8k7wZNXW8Vk01ep1h7+9ratlqCNicIecFLbjdr8Y1CKX9KQB+DHtz8ztWoIhaQmId/NNLnj"
                + "zbrsJ2OU1lGjS92uCAIqEceeTtwf8AdxTGV6ROes9uC2Mlg2YP5LkoPU7erE8GZC4AoMusbkge/lU/YOZakO3cwwSanUQvva"
                + "WEkyXpRmoKkbupanBftqfjMJwhQcTiDKA9cN3xGbb/C4zkbe77j4EA=="
        ),
        (
            "pss512", "rsa",
            "k5igmxlk/pQSmwxFxOtGAkQ8mK6enSKCFt4LSBozItfLJYQu6GbSVb7JTl33TzNbictMY6hyaw14JoEmxviJ38/pQDK7P1ml"
                + "5CapJQhkF9f1msVFCU4Q7BaFZBK/aQs3NTq2Apo+I8nJFhI8tSx8noN23BGE7dLe39795U2yhYQFOYoG9N7y1MfbIdDJ3JRC"
                + "x5vprHQsvlowMb7zEGeYZES7ccFQXbtwPiH1AqATKMRNhq8YhzjWVgAh3WHWR0DfVcFbkAVQRrlx5WdSDbwC3BXqS88oaGq/"
                + "SZ8ecXvqC8jbWT4+AMgxgAITfspPOgMouYvMeLkcaWPdCgwMhVQlyw=="
        ),
    ]
}
